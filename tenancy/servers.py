"""The rows of `servidores` and `contas_servidor`. Used by `helix host`, provisioning, `doctor`.

Each server that `helix host setup` made ready has three accounts, which may do their own work only;
their passwords are sealed in the registry and known to nobody.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import SecretStr

from tenancy.keyring import Keyring, account_of
from tenancy.lease import Connection
from tenancy.target import Target

_PASSWORD_BYTES = 32

_ALL = "SELECT host, port, versao, preparado_em FROM servidores ORDER BY host, port"
_ACCOUNTS = "SELECT host, port, papel, usuario, senha FROM contas_servidor"
_ACCOUNT = _ACCOUNTS + " WHERE host = %(host)s AND port = %(port)s AND papel = %(role)s"
_BEGIN = "INSERT IGNORE INTO servidores (host, port) VALUES (%(host)s, %(port)s)"
_READY = """
    UPDATE servidores SET versao = %(version)s, preparado_em = UTC_TIMESTAMP(3)
     WHERE host = %(host)s AND port = %(port)s
"""
_STORE = """
    INSERT IGNORE INTO contas_servidor (host, port, papel, usuario, senha)
    VALUES (%(host)s, %(port)s, %(role)s, %(user)s, %(token)s)
"""


class Role(StrEnum):
    """The values of `contas_servidor.papel`: what an account is for."""

    MIGRATOR = "migrator"
    PROVISIONER = "provisioner"
    BACKUP = "backup"

    @property
    def user(self) -> str:
        """Its name on every server."""
        return f"helix_{self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRow:
    """A row as stored."""

    host: str
    port: int
    version: str | None
    ready_at: datetime | None
    """In UTC, naive; None while its set-up has not come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A row as stored; the password is a sealed token."""

    host: str
    port: int
    role: Role
    user: str
    token: str = field(repr=False)

    def password(self, keyring: Keyring) -> SecretStr:
        """Raises SecretUnreadable."""
        purpose = account_of(self.host, self.port, self.role)
        return SecretStr(keyring.open(self.token, purpose=purpose))

    def target(self, keyring: Keyring, database: str | None = None) -> Target:
        """Raises SecretUnreadable."""
        return Target(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password(keyring),
            database=database,
        )


class Servers:
    """Reads and writes over a connection to the central database, where each statement commits."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def all(self) -> list[ServerRow]:
        """By host and port."""
        return [
            ServerRow(host=host, port=port, version=version, ready_at=ready)
            for host, port, version, ready in await self._conn.fetch_all(_ALL)
        ]

    async def accounts(self) -> list[Account]:
        """Of all servers."""
        return [_account(row) for row in await self._conn.fetch_all(_ACCOUNTS)]

    async def account(self, host: str, port: int, role: Role) -> Account | None:
        """None when `helix host setup` has made none there."""
        asked = {"host": host, "port": port, "role": role.value}
        row = await self._conn.fetch_one(_ACCOUNT, asked)
        return None if row is None else _account(row)

    async def begin(self, host: str, port: int) -> None:
        """Before anything is done to the server."""
        await self._conn.execute(_BEGIN, {"host": host, "port": port})

    async def reserve(self, keyring: Keyring, host: str, port: int, role: Role) -> Account:
        """The stored account, else a new one. Stored before the server has it: so no account ever
        has a password that nobody knows."""
        token = keyring.seal(
            secrets.token_urlsafe(_PASSWORD_BYTES), purpose=account_of(host, port, role)
        )
        account = {"host": host, "port": port, "role": role.value, "user": role.user}
        await self._conn.execute(_STORE, {**account, "token": token})
        row = await self._conn.fetch_one(_ACCOUNT, account)
        if row is None:
            raise RuntimeError(f"the {role} of {host}:{port} was removed while it was stored")
        return _account(row)

    async def ready(self, host: str, port: int, version: str) -> None:
        """Its set-up has come to its end."""
        await self._conn.execute(_READY, {"host": host, "port": port, "version": version})


def _account(row: tuple[object, ...]) -> Account:
    host, port, role, user, token = row
    return Account(
        host=str(host), port=int(str(port)), role=Role(str(role)), user=str(user), token=str(token)
    )

"""Gives a dealer's database account a new password under load. Used by `helix empresa`.

The order makes every step repeatable: first the server takes both passwords, then the registry
names the new one, then every process says that it uses it, then the old one goes. Killed before the
registry is written, a run is begun anew; after that, it is taken up where it was.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from schema.errors import NotConfigured, TryAgain, UnknownEmpresa
from tenancy.account import Account
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas, Place
from tenancy.faults import CentralFaults
from tenancy.keyring import password_of
from tenancy.lease import Connection
from tenancy.roles import Roles
from tenancy.servers import Role
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target

_PASSWORD_BYTES = 32
_TELL_EVERY_S = 2.0
_LOOK_EVERY_S = 0.1

_LOCK = "SELECT GET_LOCK(CONCAT('helix:password:', DATABASE(), ':', %(id)s), 0)"
_PENDING = "SELECT versao, ultima_conexao FROM trocas_senha WHERE empresa_id = %(id)s"
_STORE = """
    UPDATE empresas SET db_password = %(new)s, versao = versao + 1
     WHERE id = %(id)s AND BINARY db_password = %(old)s
"""
_BEGIN = """
    INSERT INTO trocas_senha (empresa_id, versao, ultima_conexao)
    SELECT id, versao, %(last)s FROM empresas WHERE id = %(id)s
"""
_END = "DELETE FROM trocas_senha WHERE empresa_id = %(id)s"


class Changeover(Protocol):
    """The processes that use dealers' databases, as the worker room knows them."""

    async def announce(self, empresa_id: int, versao: int) -> None:
        """Tells all of them; may be repeated."""

    async def missing(self, empresa_id: int, versao: int) -> Sequence[str]:
        """Those that run and may still use an older version, by names that a person knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What came of it."""

    versao: int
    ended: int
    """Sessions of the old password that were still open at the end."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """The registry names the new password, the server still takes both."""

    versao: int
    last_connection: int


class PasswordRotation:
    """One at a time per empresa."""

    def __init__(
        self,
        settings: TenancySettings,
        changeover: Changeover,
        *,
        patience_s: float = 120,
        report: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._settings = settings
        self._changeover = changeover
        self._patience_s = patience_s
        self._report = report
        self._limits = Limits.of(settings)
        self._keyring = settings.keyring()

    async def run(self, empresa_id: int) -> Rotated:
        """Raises TryAgain while a process still uses the old password (both are valid until then)
        or another run is at it; UnknownEmpresa, NotConfigured, and what databases raise."""
        async with direct(central_target(self._settings), self._limits, CentralFaults()) as conn:
            if (await conn.fetch_all(_LOCK, {"id": empresa_id}))[0][0] != 1:
                raise TryAgain("another change of this password is under way")
            pending = await _pending(conn, empresa_id)
            if pending is None:
                pending = await self._store_new(conn, empresa_id)
                self._report("stored")
            await self._changed_over(empresa_id, pending.versao)
            self._report("in use by every process")
            return await self._drop_old(conn, empresa_id, pending)

    async def _store_new(self, conn: Connection, empresa_id: int) -> _Pending:
        """A run that dies in here leaves an account with a password that nobody knows, beside the
        stored one; the next run replaces it."""
        place = _placed(await Empresas(conn).get(empresa_id), empresa_id)
        new = secrets.token_urlsafe(_PASSWORD_BYTES)
        old = self._keyring.open(place.token, purpose=password_of(empresa_id))
        account = await self._account(empresa_id, place, old)
        last = await account.allow_both(old=old, new=new)
        self._report("both passwords open")
        token = self._keyring.seal(new, purpose=password_of(empresa_id))
        await conn.execute("BEGIN")
        if not await conn.execute(_STORE, {"id": empresa_id, "old": place.token, "new": token}):
            raise TryAgain(f"empresa {empresa_id} was changed meanwhile")
        await conn.execute(_BEGIN, {"id": empresa_id, "last": last})
        await conn.execute("COMMIT")
        stored = await _pending(conn, empresa_id)
        if stored is None:
            raise TryAgain(f"empresa {empresa_id} was changed meanwhile")
        return stored

    async def _changed_over(self, empresa_id: int, versao: int) -> None:
        loop = asyncio.get_running_loop()
        until, tell_at = loop.time() + self._patience_s, loop.time()
        while True:
            if loop.time() >= tell_at:
                await self._changeover.announce(empresa_id, versao)
                tell_at = loop.time() + _TELL_EVERY_S
            missing = await self._changeover.missing(empresa_id, versao)
            if not missing:
                return
            if loop.time() >= until:
                raise TryAgain(
                    f"still on the old password: {', '.join(missing)}; both stay valid, "
                    "run the command again to go on"
                )
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _drop_old(self, conn: Connection, empresa_id: int, pending: _Pending) -> Rotated:
        place = _placed(await Empresas(conn).get(empresa_id), empresa_id)
        new = self._keyring.open(place.token, purpose=password_of(empresa_id))
        account = await self._account(empresa_id, place, new)
        await account.allow_only(new)
        self._report("old password dropped")
        ended = await account.end_older(pending.last_connection)
        self._report(f"older sessions ended: {ended}")
        await conn.execute(_END, {"id": empresa_id})
        return Rotated(versao=pending.versao, ended=ended)

    async def _account(self, empresa_id: int, place: Place, password: str) -> Account:
        admin = await Roles(self._settings).target(Role.PROVISIONER, place.host, place.port, None)
        own = Target(
            host=place.host,
            port=place.port,
            user=place.user,
            password=SecretStr(password),
            database=place.database,
            empresa_id=empresa_id,
        )
        return Account(empresa_id, own, admin, self._limits)


async def _pending(conn: Connection, empresa_id: int) -> _Pending | None:
    row = await conn.fetch_one(_PENDING, {"id": empresa_id})
    return None if row is None else _Pending(int(row[0]), int(row[1]))


def _placed(row: EmpresaRow | None, empresa_id: int) -> Place:
    if row is None:
        raise UnknownEmpresa(empresa_id)
    if row.place is None:
        raise NotConfigured(empresa_id, "it has no database yet; `helix empresa create`")
    return row.place

"""Looks at the rows of the central database: dealers, secrets, accounts. Called by `.run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schema.errors import SecretUnreadable
from schema.migrator import Migrator
from schema.steps import Kind, versions
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.keyring import Keyring, credentials_of, password_of
from tenancy.lease import Connection
from tenancy.registry import ACTIVE, PAUSED
from tenancy.reseal import count_per_key
from tenancy.servers import Account, Servers
from tenancy.target import is_loopback
from worker.doctor.values import Finding, red, warning

_CHANNELS = """
    SELECT id, empresa_id, tipo, identificador, ativo, credenciais,
           criado_em < UTC_TIMESTAMP() - INTERVAL 1 DAY
      FROM canais ORDER BY id
"""
_CHANGES = "SELECT empresa_id FROM trocas_senha"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A row of `canais`."""

    id: int
    empresa_id: int
    gateway: str
    identifier: str
    active: bool
    token: str | None = field(repr=False)
    is_old: bool
    """It has been there for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """What the central database says."""

    empresas: Sequence[EmpresaRow]
    channels: Sequence[ChannelRow]
    accounts: Sequence[Account]
    ready: frozenset[tuple[str, int]]
    """Servers that `helix host setup` has made ready."""
    changing: frozenset[int]
    """Empresas with a change of password that has not ended."""
    per_key: Mapping[str, int]
    """Secrets by the key that seals them, of all tables that `helix keys rotate` goes through."""


async def behind(conn: Connection) -> list[Finding]:
    """Whether the central database lacks steps of this release. Raises MigrationChanged."""
    missing = await Migrator(conn, versions(Kind.CENTRAL)).missing()
    if not missing:
        return []
    return [
        red(
            "central_behind",
            "central database",
            f"it lacks {missing} steps of this release",
            why="processes of this release fail at what they need of it",
            mend="helix migrate",
        )
    ]


async def read(conn: Connection) -> Central:
    """Everything; few statements, however many dealers there are."""
    servers = Servers(conn)
    return Central(
        empresas=await Empresas(conn).all(),
        channels=[
            ChannelRow(
                id=id_,
                empresa_id=empresa,
                gateway=gateway,
                identifier=identifier,
                active=bool(active),
                token=token or None,
                is_old=bool(old),
            )
            for id_, empresa, gateway, identifier, active, token, old in await conn.fetch_all(
                _CHANNELS
            )
        ],
        accounts=await servers.accounts(),
        ready=frozenset((row.host, row.port) for row in await servers.all() if row.ready_at),
        changing=frozenset(row[0] for row in await conn.fetch_all(_CHANGES)),
        per_key=await count_per_key(conn),
    )


def look(central: Central, keyring: Keyring) -> list[Finding]:
    """Needs nothing but the rows."""
    return [
        *_places(central),
        *_shared(central.empresas),
        *_secrets(central, keyring),
        *_old_keys(central, keyring),
    ]


def _places(central: Central) -> Iterator[Finding]:
    for row in central.empresas:
        subject = f"empresa {row.id}"
        if row.status in (ACTIVE, PAUSED) and row.place is None:
            yield red(
                "no_database",
                subject,
                f"it is {row.status} and has no database, user or password",
                why="everything that buyers write to it becomes a dead letter",
                mend=f"helix empresa create --id {row.id} --nome '{_quoted(row.nome)}'",
            )
        elif row.status == "provisionando":
            yield warning(
                "half_made",
                subject,
                "its creation has not come to its end",
                why="nobody serves it",
                mend=f"helix empresa create --id {row.id} --nome '{_quoted(row.nome)}'",
            )
        if row.id in central.changing:
            yield warning(
                "password_change",
                subject,
                "a change of its database password has not come to its end",
                why="the old password opens its database, too",
                mend=f"helix empresa rotate-password {row.id}",
            )


def _shared(rows: Sequence[EmpresaRow]) -> Iterator[Finding]:
    homes: dict[tuple[str, int, str], list[int]] = {}
    for row in rows:
        if row.place is not None:
            # All names of this machine are one; others cannot be told from their aliases.
            host = "localhost" if is_loopback(row.place.host) else row.place.host.casefold()
            home = host, row.place.port, row.place.database.casefold()
            homes.setdefault(home, []).append(row.id)
    for (host, port, name), ids in homes.items():
        if len(ids) > 1:
            yield red(
                "shared_database",
                ", ".join(f"empresa {id_}" for id_ in ids),
                f"all of them are said to live in {name} on {host}:{port}",
                why="one dealer's buyers would be answered with another's cars",
                mend="helix empresa show ID tells each one's; `helix empresa create` or `adopt` "
                "gives the wrong one its own",
            )


def _secrets(central: Central, keyring: Keyring) -> Iterator[Finding]:
    for row in central.empresas:
        if row.place is None:
            continue
        try:
            keyring.open(row.place.token, purpose=password_of(row.id))
        except SecretUnreadable as error:
            yield _unreadable(
                f"empresa {row.id}",
                error,
                "put its key back into TENANCY_KEYS; "
                f"else helix empresa create --id {row.id}, which sets a new "
                "password",
            )
    for channel in central.channels:
        purpose = credentials_of(channel.gateway, channel.identifier)
        if channel.token is None:
            continue
        try:
            keyring.open(channel.token, purpose=purpose)
        except SecretUnreadable as error:
            yield _unreadable(
                f"channel {channel.id}",
                error,
                "put its key back into "
                "TENANCY_KEYS; else helix channel add, with its credentials "
                "anew",
            )
    for account in central.accounts:
        try:
            account.password(keyring)
        except SecretUnreadable as error:
            yield _unreadable(
                f"{account.user} of {account.host}:{account.port}",
                error,
                "put its key back into TENANCY_KEYS",
            )


def _unreadable(subject: str, error: SecretUnreadable, mend: str) -> Finding:
    why = "without it there is no way to the database or the gateway"
    return red("secret_unreadable", subject, str(error), why=why, mend=mend)


def _old_keys(central: Central, keyring: Keyring) -> Iterator[Finding]:
    total = sum(central.per_key.values())
    old = total - central.per_key.get(keyring.newest, 0)
    if old:
        yield warning(
            "old_key",
            "registry",
            f"{old} of {total} secrets are sealed with another key than the first",
            why="an old key cannot be taken out of TENANCY_KEYS before they are sealed anew",
            mend="helix keys rotate",
        )


def _quoted(nome: str) -> str:
    """For a shell."""
    return nome.replace("'", "'\\''")

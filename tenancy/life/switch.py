"""Points a dealer's row at a copy of his database and keeps the one that he left. Used by `move`
and `restore`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from schema.errors import HelixError, NotConfigured, TryAgain
from tenancy.direct import direct
from tenancy.empresas import Place
from tenancy.faults import TenantFaults
from tenancy.keyring import password_of
from tenancy.lease import Connection
from tenancy.life import server
from tenancy.life.ledger import Facts, Operation
from tenancy.life.tools import Tools, copy_name
from tenancy.names import user_of
from tenancy.session import Profile

# Only while the row is what the operation began with: nobody else's change is undone by it.
_SWITCH = """
    UPDATE empresas
       SET db_host = %(host)s, db_port = %(port)s, db_name = %(database)s, db_user = %(user)s,
           db_password = %(token)s, versao = versao + 1
     WHERE id = %(id)s AND db_name = %(old)s
"""
_KEEP = """
    INSERT INTO bancos_guardados
           (empresa_id, operacao_id, db_host, db_port, db_name, db_user, guardado_em)
    VALUES (%(id)s, %(operation)s, %(host)s, %(port)s, %(database)s, %(user)s, UTC_TIMESTAMP(3))
    ON DUPLICATE KEY UPDATE operacao_id = operacao_id
"""
_KEPT = """
    SELECT id, db_host, db_port, db_name, db_user, guardado_em FROM bancos_guardados
     WHERE empresa_id = %(id)s AND apagado_em IS NULL ORDER BY id
"""
_DROPPED = "UPDATE bancos_guardados SET apagado_em = UTC_TIMESTAMP(3) WHERE id = %(id)s"
_CHANGING = "SELECT COUNT(*) FROM trocas_senha WHERE empresa_id = %(id)s"
_PASSWORD_BYTES = 32


class Location(Facts):
    """A database and who logs in there; the password is a sealed token."""

    host: str
    port: int
    database: str
    user: str
    token: str

    @classmethod
    def of(cls, place: Place) -> Location:
        """As a step keeps it."""
        return cls(
            host=place.host,
            port=place.port,
            database=place.database,
            user=place.user,
            token=place.token,
        )

    @property
    def place(self) -> Place:
        """As the registry has it."""
        return Place(
            host=self.host,
            port=self.port,
            database=self.database,
            user=self.user,
            token=self.token,
        )


class Switched(Facts):
    """The row names the new database since this version."""

    versao: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A database that a move or a restore left behind."""

    id: int
    host: str
    port: int
    database: str
    user: str
    since_utc: str


def location_for(tools: Tools, operation: Operation, old: Place, host: str, port: int) -> Location:
    """Where the copy will be. On its own server our user keeps its password, so that the old
    database goes on working until the switch; elsewhere it gets a new one."""
    empresa_id = operation.empresa_id
    user, token = user_of(empresa_id), old.token
    if old.user != user or (old.host, old.port) != (host, port):
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        token = tools.keyring.seal(password, purpose=password_of(empresa_id))
    database = copy_name(empresa_id, operation.id)
    return Location(host=host, port=port, database=database, user=user, token=token)


async def refuse_half_changed(tools: Tools, empresa_id: int) -> None:
    """Raises NotConfigured while two passwords open the account: a copy would know one of them."""
    if (await tools.central.fetch_all(_CHANGING, {"id": empresa_id}))[0][0]:
        raise NotConfigured(
            empresa_id,
            "a change of its password is not at its end: "
            f"`helix empresa rotate-password {empresa_id}` first",
        )


async def open_account(tools: Tools, empresa_id: int, new: Location) -> None:
    """The dealer's user at the copy, proved by logging in as it. Raises WrongTenant."""
    password = tools.keyring.open(new.token, purpose=password_of(empresa_id))
    async with tools.as_admin(empresa_id, new.host, new.port) as conn:
        await server.make_account(
            conn, empresa_id, user=new.user, password=password, database=new.database
        )
    await prove(tools, empresa_id, new.place)


async def prove(tools: Tools, empresa_id: int, place: Place) -> None:
    """Logs in as the dealer. Raises WrongTenant, TenantRefused, TenantUnavailable."""
    target, faults = tools.as_tenant(empresa_id, place), TenantFaults(empresa_id)
    async with direct(target, tools.limits, faults, profile=Profile.WORK):
        tools.report("identity proved")


async def switch(tools: Tools, operation: Operation, old: Location, new: Location) -> Switched:
    """The registry names the new database, all processes are told. Raises TryAgain when someone
    else changed the row meanwhile."""
    values = {**new.model_dump(), "id": operation.empresa_id, "old": old.database}
    await tools.central.execute(_SWITCH, values)
    row = await tools.row(operation.empresa_id)
    if row.place != new.place:
        raise TryAgain(f"the database of empresa {row.id} was changed by somebody else meanwhile")
    await tools.processes.announce(row.id, row.versao)
    tools.report("switched")
    return Switched(versao=row.versao)


async def drop_copy(tools: Tools, empresa_id: int, new: Location) -> None:
    """What was made for a switch that did not come. A server that is gone does not hold this up:
    the copy stays there and is named."""
    try:
        async with tools.as_admin(empresa_id, new.host, new.port) as conn:
            await server.drop_database(conn, empresa_id, new.database)
            await server.retire_account(conn, new.user, new.database)
    except HelixError as error:
        tools.report(f"left at {new.host}:{new.port}: database {new.database} ({error})")


async def keep(tools: Tools, operation: Operation, old: Location) -> None:
    """The old database stays until `drop_kept`; our user has no way to it any more. A server that
    is gone does not hold this up."""
    values = {**old.model_dump(exclude={"token"}), "id": operation.empresa_id}
    await tools.central.execute(_KEEP, {**values, "operation": operation.id})
    if old.user != user_of(operation.empresa_id):
        return  # an account that we did not make stays as it is
    try:
        async with tools.as_admin(operation.empresa_id, old.host, old.port) as conn:
            await server.revoke(conn, old.user, old.database)
    except HelixError as error:
        tools.report(f"the old database was not closed to its user: {error}")


async def kept(conn: Connection, empresa_id: int) -> list[Kept]:
    """What earlier moves and restores left, oldest first."""
    return [
        Kept(
            id=int(row[0]),
            host=str(row[1]),
            port=int(row[2]),
            database=str(row[3]),
            user=str(row[4]),
            since_utc=row[5].isoformat(),
        )
        for row in await conn.fetch_all(_KEPT, {"id": empresa_id})
    ]


async def drop_kept(
    tools: Tools, empresa_id: int, left: Sequence[Kept], *, current: Place | None
) -> None:
    """Drops databases that were kept, and on servers that the dealer left our user too.

    `current`: where he is now; that is never dropped.
    """
    for one in left:
        here = current is not None and (one.host, one.port) == (current.host, current.port)
        if current is not None and here and one.database == current.database:
            raise TryAgain(f"database {one.database} is in use again: it is not dropped")
        async with tools.as_admin(empresa_id, one.host, one.port) as conn:
            await server.drop_database(conn, empresa_id, one.database)
            if one.user == user_of(empresa_id) and not here:
                await server.drop_account(conn, one.user)
        await tools.central.execute(_DROPPED, {"id": one.id})
        tools.report(f"dropped: {one.database} on {one.host}:{one.port}")

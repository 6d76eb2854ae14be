"""Moves a dealer to another server. Used by `helix empresa move`.

He is held: his events go on being accepted and wait. Then the old account is locked, so that nobody
writes any more, the database is copied and compared, the registry is switched, and he goes on at
the new server. Any failure before the switch brings him back to work where he was. The old database
is kept, closed.
"""

from __future__ import annotations

from schema.errors import CopyDiffers, HelixError, NotConfigured
from tenancy.direct import direct
from tenancy.faults import TenantFaults
from tenancy.lease import Connection
from tenancy.life import server
from tenancy.life.backup import Done, unmigrated
from tenancy.life.counting import DumpCount
from tenancy.life.hold import Held, Quiet, hold, release, wait_until_quiet
from tenancy.life.ledger import Facts, Kind, Operation
from tenancy.life.programs import dumping, load
from tenancy.life.switch import (
    Location,
    Switched,
    drop_copy,
    keep,
    location_for,
    open_account,
    prove,
    refuse_half_changed,
    switch,
)
from tenancy.life.tools import Tools

_WHO = "SELECT CURRENT_USER()"


class Planned(Facts):
    """From where to where; `account_host` is the host part of the account at the old server."""

    old: Location
    new: Location
    account_host: str


class Copied(Facts):
    """Rows by table, as they went over."""

    rows: dict[str, int]


class Compared(Facts):
    """`checksums` (CHECKSUM TABLE), or `rows` (of a dump) where the servers' versions differ."""

    how: str


class Moved(Facts):
    """What came of it."""

    empresa_id: int
    database: str
    server: str
    kept: str
    kept_on: str
    rows: dict[str, int]
    compared: str
    versao: int


class MovePlan(Facts):
    """What a move would do."""

    empresa_id: int
    database: str
    from_server: str
    to_server: str
    rows: dict[str, int]
    bytes: int


_BYTES = """
    SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables
     WHERE table_schema = %(name)s
"""


async def plan(tools: Tools, empresa_id: int, host: str, port: int) -> MovePlan:
    """Both servers are asked; nothing is changed. Raises NotConfigured, TenantUnavailable."""
    place = await tools.place(empresa_id)
    _refuse_same(empresa_id, (place.host, place.port), (host, port))
    async with tools.as_admin(empresa_id, host, port):
        pass  # it answers, and takes the administrator
    async with tools.as_admin(empresa_id, place.host, place.port) as conn:
        size = int((await conn.fetch_all(_BYTES, {"name": place.database}))[0][0])
        return MovePlan(
            empresa_id=empresa_id,
            database=place.database,
            from_server=f"{place.host}:{place.port}",
            to_server=f"{host}:{port}",
            rows=await server.rows_of(conn, place.database),
            bytes=size,
        )


async def move(tools: Tools, empresa_id: int, host: str, port: int) -> Moved:
    """Raises NotConfigured, CopyDiffers, TryAgain, and what databases raise."""
    async with tools.ledger.alone(empresa_id):
        operation = await tools.ledger.begin(empresa_id, Kind.MOVE, {"host": host, "port": port})
        try:
            return await _move(tools, operation)
        except HelixError as error:
            if "switched" not in operation.done:
                await undo(tools, operation, str(error))
            raise


async def _move(tools: Tools, operation: Operation) -> Moved:
    empresa_id, step = operation.empresa_id, tools.ledger.step
    planned = await step(operation, "planned", Planned, lambda: _plan(tools, operation))
    old, new = planned.old, planned.new

    async def locked() -> Done:
        async with tools.as_admin(empresa_id, old.host, old.port) as conn:
            await server.lock_account(conn, old.user, planned.account_host)
        tools.report("the old account is locked")
        return Done()

    async def opened() -> Done:
        await open_account(tools, empresa_id, new)
        return Done()

    async def closed() -> Done:
        await keep(tools, operation, old)
        await prove(tools, empresa_id, new.place)
        return Done()

    held = await step(operation, "held", Held, lambda: hold(tools, operation))
    await step(operation, "quiet", Quiet, lambda: wait_until_quiet(tools, empresa_id, held.versao))
    await step(operation, "locked", Done, locked)
    copied = await step(operation, "copied", Copied, lambda: _copy(tools, empresa_id, old, new))
    compared = await step(
        operation, "compared", Compared, lambda: _compare(tools, empresa_id, old, new)
    )
    await step(operation, "opened", Done, opened)
    await step(operation, "switched", Switched, lambda: switch(tools, operation, old, new))
    await step(operation, "closed", Done, closed)
    versao = await release(tools, operation)
    result = Moved(
        empresa_id=empresa_id,
        database=new.database,
        server=f"{new.host}:{new.port}",
        kept=old.database,
        kept_on=f"{old.host}:{old.port}",
        rows=copied.rows,
        compared=compared.how,
        versao=versao,
    )
    await tools.ledger.finish(operation, result)
    return result


async def undo(tools: Tools, operation: Operation, error: str) -> None:
    """Before the switch: the account opens again, the dealer goes on at the old server, the copy
    goes. Raises TenantUnavailable while the old server is away: then he stays held."""
    await tools.ledger.forget_all_but(operation, "planned")
    recorded = operation.done.get("planned")
    if recorded is None:
        await release(tools, operation)
    else:
        planned = Planned.model_validate_json(recorded)
        old = planned.old
        async with tools.as_admin(operation.empresa_id, old.host, old.port) as conn:
            await server.unlock_account(conn, old.user, planned.account_host)
        await release(tools, operation)
        await drop_copy(tools, operation.empresa_id, planned.new)
    await tools.ledger.give_up(operation, error)


async def _plan(tools: Tools, operation: Operation) -> Planned:
    """Everything that can be found out is found out before the dealer is held."""
    empresa_id = operation.empresa_id
    host, port = str(operation.asked["host"]), int(operation.asked["port"] or 0)
    place = await tools.place(empresa_id)
    _refuse_same(empresa_id, (place.host, place.port), (host, port))
    async with tools.as_admin(empresa_id, host, port):
        pass  # it answers, and takes the administrator
    await refuse_half_changed(tools, empresa_id)
    if place.user == tools.admin(place.host, place.port).user:
        raise NotConfigured(
            empresa_id,
            f"it logs in as {place.user}, who also administers the server: nobody could be shut "
            "out while it is copied; give it a user of its own by `helix empresa adopt`",
        )
    target = tools.as_tenant(empresa_id, place)
    async with direct(target, tools.limits, TenantFaults(empresa_id)) as conn:
        account = str((await conn.fetch_all(_WHO))[0][0])
    return Planned(
        old=Location.of(place),
        new=location_for(tools, operation, place, host, port),
        account_host=account.rpartition("@")[2],
    )


def _refuse_same(empresa_id: int, old: tuple[str, int], new: tuple[str, int]) -> None:
    if old == new:
        raise NotConfigured(empresa_id, f"its database is on {new[0]}:{new[1]} already")


async def _copy(tools: Tools, empresa_id: int, old: Location, new: Location) -> Copied:
    async with tools.as_admin(empresa_id, new.host, new.port) as conn:
        await server.fresh_database(conn, empresa_id, new.database)
    source = tools.admin(old.host, old.port, old.database)
    target = tools.admin(new.host, new.port, new.database)
    count = DumpCount()
    async with (
        unmigrated(tools, empresa_id, old.place) as conn,
        dumping(source, tools.limits, empresa_id=empresa_id) as dump,
    ):
        await server.check_owner(conn, empresa_id, old.database)
        await load(target, tools.limits, count.over(dump), empresa_id=empresa_id)
    tools.report(f"copied: {count.bytes} bytes")
    return Copied(rows=count.rows)


async def _compare(tools: Tools, empresa_id: int, old: Location, new: Location) -> Compared:
    async with (
        tools.as_admin(empresa_id, old.host, old.port) as source,
        tools.as_admin(empresa_id, new.host, new.port) as target,
    ):
        same = await server.version(source) == await server.version(target)
        before, after = await (
            _checksums(source, target, old, new) if same else _contents(tools, empresa_id, old, new)
        )
    if before != after:
        differ = sorted(name for name in before.keys() | after.keys()
                        if before.get(name) != after.get(name))  # fmt: skip
        raise CopyDiffers(f"the copy is not equal to its source: {', '.join(differ)}")
    tools.report("compared: equal")
    return Compared(how="checksums" if same else "rows")


async def _checksums(
    source: Connection, target: Connection, old: Location, new: Location
) -> tuple[dict[str, str], dict[str, str]]:
    before = await server.checksums(source, old.database)
    after = await server.checksums(target, new.database)
    return {k: str(v) for k, v in before.items()}, {k: str(v) for k, v in after.items()}


async def _contents(
    tools: Tools, empresa_id: int, old: Location, new: Location
) -> tuple[dict[str, str], dict[str, str]]:
    """Servers of different versions: the rows as one program writes them from both."""
    found = []
    for one in (old, new):
        count, target = DumpCount(), tools.admin(one.host, one.port, one.database)
        async with dumping(target, tools.limits, empresa_id=empresa_id, rows_alone=True) as dump:
            async for chunk in dump:
                count.take(chunk)
        rows = {name: str(number) for name, number in count.rows.items()}
        found.append({**rows, "all rows": count.sha256})
    return found[0], found[1]

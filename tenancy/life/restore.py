"""Brings a dealer back to a backup. Used by `helix empresa restore`.

The backup goes into a database of a new name beside the old one, is compared with what was written,
and only then the dealer is held for a moment and switched to it. The old database is kept. What was
stored since the backup is in the old one alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from schema.errors import HelixError, NotConfigured
from tenancy.lease import Connection
from tenancy.life import server
from tenancy.life.backup import Done, Manifest, chosen, restore_into
from tenancy.life.hold import Held, Quiet, hold, release, wait_until_quiet
from tenancy.life.ledger import Facts, Kind, Operation
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
from tenancy.migrate import migrate_database

# Digests of messages that are not to come back, also of people whom the backup does not know.
_REMEMBERED = "SELECT digest, apagada_em FROM _apagadas"
_REMEMBER = "INSERT IGNORE INTO _apagadas (digest, apagada_em) VALUES (%s, %s)"

AfterRestore = Callable[[int, Connection], Awaitable[None]]
"""Is given the dealer's id and his restored database, as administrator, before anybody is served
from it: early, while he is served from the old one, and again just before the switch."""


async def _nothing_after(_empresa_id: int, _conn: Connection) -> None:
    """For whoever has nothing to do to a restored database."""


class Planned(Facts):
    """What is restored, from where the dealer is to where he will be."""

    manifest: Manifest
    old: Location
    new: Location


class Loaded(Facts):
    """The backup is in its new database, equal to what was written; see `Verified.compared`."""

    compared: str


class Restored(Facts):
    """What came of it."""

    empresa_id: int
    backup: str
    database: str
    server: str
    kept: str
    rows: dict[str, int]
    compared: str
    versao: int


async def plan(tools: Tools, empresa_id: int, name: str | None) -> Manifest:
    """What a restore would bring back. Raises BackupDamaged."""
    await tools.place(empresa_id)
    return await chosen(tools, empresa_id, name)


async def restore(
    tools: Tools,
    empresa_id: int,
    name: str,
    *,
    host: str | None = None,
    port: int | None = None,
    after_restore: AfterRestore = _nothing_after,
) -> Restored:
    """On the dealer's own server, or another one. Any failure before the switch leaves him where he
    was. Raises BackupDamaged, CopyDiffers, NotConfigured, TryAgain, and what databases raise."""
    async with tools.ledger.alone(empresa_id):
        asked: dict[str, str | int | None] = {"backup": name, "host": host, "port": port}
        operation = await tools.ledger.begin(empresa_id, Kind.RESTORE, asked)
        try:
            return await _restore(tools, operation, after_restore)
        except HelixError as error:
            if "switched" not in operation.done:
                await undo(tools, operation, str(error))
            raise


async def _restore(tools: Tools, operation: Operation, after_restore: AfterRestore) -> Restored:
    empresa_id, step = operation.empresa_id, tools.ledger.step
    planned = await step(operation, "planned", Planned, lambda: _plan(tools, operation))
    old, new, manifest = planned.old, planned.new, planned.manifest

    async def loaded() -> Loaded:
        async with tools.as_admin(empresa_id, new.host, new.port) as conn:
            await server.fresh_database(conn, empresa_id, new.database)
        compared = await restore_into(tools, manifest, (new.host, new.port), new.database)
        tools.report(f"restored into {new.database}, compared by {compared}")
        return Loaded(compared=compared)

    async def prepared() -> Done:
        target = tools.admin(new.host, new.port, new.database)
        await migrate_database(empresa_id, target, tools.limits)
        await open_account(tools, empresa_id, new)
        await finished()
        return Done()

    async def finished() -> None:
        async with tools.as_admin(empresa_id, new.host, new.port, new.database) as conn:
            await _carry_over(tools, empresa_id, old, conn)
            await after_restore(empresa_id, conn)

    compared = (await step(operation, "loaded", Loaded, loaded)).compared
    await step(operation, "prepared", Done, prepared)
    held = await step(operation, "held", Held, lambda: hold(tools, operation))
    await step(operation, "quiet", Quiet, lambda: wait_until_quiet(tools, empresa_id, held.versao))
    if "switched" not in operation.done:
        # Not a step: between a kill and this run somebody may have been erased from the old one.
        await finished()
    await step(operation, "switched", Switched, lambda: switch(tools, operation, old, new))

    async def closed() -> Done:
        await keep(tools, operation, old)
        await prove(tools, empresa_id, new.place)
        return Done()

    await step(operation, "closed", Done, closed)
    versao = await release(tools, operation)
    result = Restored(
        empresa_id=empresa_id,
        backup=manifest.name,
        database=new.database,
        server=f"{new.host}:{new.port}",
        kept=old.database,
        rows=manifest.rows,
        compared=compared,
        versao=versao,
    )
    await tools.ledger.finish(operation, result)
    return result


async def _carry_over(tools: Tools, empresa_id: int, old: Location, conn: Connection) -> None:
    """What the old database knows of erased messages. Without its server a restore goes on."""
    try:
        async with tools.as_admin(empresa_id, old.host, old.port, old.database) as left:
            remembered = await left.fetch_all(_REMEMBERED)
    except HelixError as error:
        tools.report(f"late repetitions of messages erased since the backup are not known: {error}")
        return
    await conn.execute_many(_REMEMBER, remembered)


async def undo(tools: Tools, operation: Operation, error: str) -> None:
    """Before the switch: the dealer is served from where he was, the copy goes."""
    await tools.ledger.forget_all_but(operation, "planned")
    await release(tools, operation)
    planned = operation.done.get("planned")
    if planned is not None:
        new = Planned.model_validate_json(planned).new
        await drop_copy(tools, operation.empresa_id, new)
    await tools.ledger.give_up(operation, error)


async def _plan(tools: Tools, operation: Operation) -> Planned:
    empresa_id, asked = operation.empresa_id, operation.asked
    manifest = await chosen(tools, empresa_id, str(asked["backup"]))
    row, old = await tools.row(empresa_id), await tools.place(empresa_id)
    if row.status == "provisionando":
        raise NotConfigured(empresa_id, "it is not made yet; `helix empresa create` goes on")
    await refuse_half_changed(tools, empresa_id)
    host, port = str(asked["host"] or old.host), int(asked["port"] or old.port)
    new = location_for(tools, operation, old, host, port)
    return Planned(manifest=manifest, old=Location.of(old), new=new)

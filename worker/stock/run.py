"""One import from a file to the dealer's rows: all of it or nothing. Called by the CLI, `.watch`
and the demo.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

from tenancy.life.writable import refuse_unwritable
from tenancy.pools import TenantPoolManager
from tenancy.start import Tenancy
from worker.stock import rows
from worker.stock.files import StockFile, read_stock
from worker.stock.plan import chosen_key, make_plan, why_not
from worker.stock.reading import BadFile, Reading
from worker.stock.values import Options, Outcome
from worker.stock.words import Words


async def import_stock(
    tenancy: Tenancy,
    empresa_id: int,
    file: StockFile,
    options: Options,
    *,
    words: Words | None = None,
    plan_only: bool = False,
) -> Outcome:
    """Reads, plans and, where nothing speaks against it, stores in one transaction.

    Every run leaves a line in `estoque_importacoes`, a refused one too; `plan_only` leaves
    nothing. May be repeated after any error. Raises what `pools.transaction` raises, and for a
    dealer who is disabled or held by an operation what `refuse_unwritable` does.
    """
    await refuse_unwritable(tenancy.central, empresa_id)
    digest = hashlib.sha256(file.data).hexdigest()
    try:
        reading = await asyncio.to_thread(read_stock, file, words)
    except BadFile as error:
        outcome = Outcome(origin=file.name, why_not=str(error))
        if not plan_only:
            async with tenancy.pools.transaction(empresa_id) as conn:
                await rows.note_run(conn, outcome, digest=digest)
        return outcome
    return await _carry_out(tenancy, empresa_id, reading, options, file.name, digest, plan_only)


async def _carry_out(
    tenancy: Tenancy,
    empresa_id: int,
    reading: Reading,
    options: Options,
    origin: str,
    digest: str,
    plan_only: bool,
) -> Outcome:
    key = chosen_key(reading, options)
    async with tenancy.pools.transaction(empresa_id) as conn:
        stored = await rows.read_cars(conn, key)
        plan = make_plan(reading, stored, key, full=options.full, empresa_id=empresa_id)
        plan = await rows.with_visits(conn, plan)
        outcome = Outcome(origin=origin, plan=plan, reading=reading, why_not=why_not(plan, options))
        if plan_only:
            return outcome
        if outcome.why_not is None:
            await rows.write(conn, plan)
            outcome = replace(outcome, stored=True)
        await rows.note_run(conn, outcome, digest=digest)
        # A move that began meanwhile waits for workers, not for us.
        await refuse_unwritable(tenancy.central, empresa_id)
    return outcome


async def note_failed(pools: TenantPoolManager, empresa_id: int, origin: str, why: str) -> None:
    """A line in the log for a file that did not come at all."""
    async with pools.transaction(empresa_id) as conn:
        await rows.note_run(conn, Outcome(origin=origin, why_not=why), digest="")

"""A run: users at work, disturbed now and then, and a look at the books at each rest."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence

from pymysql.err import MySQLError

from dev.fuzz.books import Books
from dev.fuzz.changes import Changes
from dev.fuzz.ground import Ground
from dev.fuzz.report import Report
from dev.fuzz.users import Users, one_of
from tenancy.names import database_of, user_of
from tenancy.start import Tenancy, open_tenancy

_ROUND_S = 5.0
_USERS = 40
_PER_EMPRESA = 2
_PER_HOST = 12
_DISTURB_S = 0.1
_CHANGE_S = 0.2

Disturbance = Callable[[Tenancy, int], Awaitable[None]]
"""Something that happens to an empresa while it is in use."""


async def fuzz(
    ground: Ground,
    *,
    seconds: float,
    seed: int,
    disturbances: Sequence[Disturbance] = (),
    progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Many more users than connections, so that they wait, evict and are handed things all the
    time. The same seed makes the same choices; the server's pace is its own."""
    report, chance = Report(), random.Random(seed)
    settings = ground.settings.model_copy(
        update={
            "tenancy_max_per_empresa": _PER_EMPRESA,
            "tenancy_max_per_host": _PER_HOST,
            "tenancy_registry_fresh_s": 1,
            "tenancy_acquire_timeout_s": 20,
            "tenancy_statement_timeout_s": 60,
        }
    )
    for empresa_id in ground.ids:
        tag = f"INSERT INTO cars (brand) VALUES ('{empresa_id}')"  # noqa: S608 - a number of ours
        await ground.rows(tag, database=database_of(empresa_id))
    gentle = [*disturbances, _retire, _reap]
    rough_ones = [*gentle, _kill_one(ground)]
    rounds = 0
    async with open_tenancy(settings, grace_s=2) as tenancy:
        books = Books(tenancy, ground.server, ground.ids, report, size=_PER_EMPRESA)
        changes = Changes(tenancy, ground, chance)
        users = Users(
            tenancy,
            ground.ids,
            report,
            chance,
            after_each=books.check_at_work,
            excused=changes.is_suspended,
        )
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and not report.hangs:
            until = min(end, loop.time() + _ROUND_S)
            rounds, refused = rounds + 1, report.refused
            rough = rounds % 2 == 0
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                happens = rough_ones if rough else gentle
                group.create_task(_disturb(tenancy, ground.ids, happens, chance, stop))
                group.create_task(_change(changes, ground.ids, chance, stop, rough=rough))
                await asyncio.gather(*(users.work(until) for _ in range(_USERS)))
                stop.set()
            if not rough and report.refused > refused:  # nobody may notice anything
                books.fail(f"refused without a reason: {users.last_refusal}")
            await books.check_at_rest()
            report.changes = changes.made.total()
            progress(report)
    await books.check_sessions()
    await _check_rows(ground, users, report)
    return report


async def _check_rows(ground: Ground, users: Users, report: Report) -> None:
    for empresa_id in ground.ids:
        sql = f"SELECT COUNT(*), COALESCE(SUM(brand <> '{empresa_id}'), 0) FROM cars"  # noqa: S608
        ((count, foreign),) = await ground.rows(sql, database=database_of(empresa_id))
        missing = max(0, users.added[empresa_id] + 1 - int(str(count)))
        if missing or foreign:
            report.wrong_rows += missing + int(str(foreign))
            report.note(f"empresa {empresa_id}: {missing} rows missing, {foreign} foreign")


async def _disturb(
    tenancy: Tenancy,
    ids: tuple[int, ...],
    every: Sequence[Disturbance],
    chance: random.Random,
    stop: asyncio.Event,
) -> None:
    while not stop.is_set():
        await asyncio.sleep(_DISTURB_S * chance.random())
        await chance.choice(every)(tenancy, chance.choice(ids))


async def _change(
    changes: Changes,
    ids: tuple[int, ...],
    chance: random.Random,
    stop: asyncio.Event,
    *,
    rough: bool,
) -> None:
    """One after the other, each to its end, so that no round begins with a half one."""
    while not stop.is_set():
        await asyncio.sleep(_CHANGE_S * chance.random())
        await changes.make_one(one_of(ids, chance), rough=rough)


async def _retire(tenancy: Tenancy, empresa_id: int) -> None:
    """As when the registry names another password: a new generation of connections."""
    await tenancy.pools.close(empresa_id)


async def _reap(tenancy: Tenancy, empresa_id: int) -> None:
    """As when all of its idle connections had grown old."""
    pool = tenancy.pools.pool(empresa_id)
    if pool is not None:
        pool.reap(idle_s=0)


def _kill_one(ground: Ground) -> Disturbance:
    """As when the server, or somebody at it, ended a connection."""

    async def kill(_tenancy: Tenancy, empresa_id: int) -> None:
        user = user_of(empresa_id)
        rows = await ground.rows("SHOW PROCESSLIST")
        for thread_id in [row[0] for row in rows if row[1] == user][:1]:
            with contextlib.suppress(MySQLError):  # it ended by itself meanwhile
                await ground.rows(f"KILL {thread_id}")

    return kill

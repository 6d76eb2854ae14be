"""Sharing the connections of an empresa: nothing hangs, nothing mixes, nothing is left behind."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator

import pytest

from schema.errors import TenantUnavailable
from tenancy.lease import TenantConnection
from tenancy.names import database_of
from tenancy.pool import ConnectionPool
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.tenancy.peers import mute_server, until

ONE = {"tenancy_max_per_empresa": 1, "tenancy_registry_fresh_s": 60}


@pytest.fixture
async def one(installation: Installation) -> AsyncIterator[tuple[Installation, Tenancy, int]]:
    """An empresa that may have a single connection."""
    row = await installation.create()
    async with installation.tenancy(**ONE) as tenancy:
        yield installation, tenancy, row.id


One = tuple[Installation, Tenancy, int]


def _pool(tenancy: Tenancy, empresa_id: int) -> ConnectionPool:
    pool = tenancy.pools.pool(empresa_id)
    assert pool is not None
    return pool


async def _ask(tenancy: Tenancy, empresa_id: int, sql: str = "SELECT 42") -> object:
    async with tenancy.pools.connection(empresa_id) as conn:
        row = await conn.fetch_one(sql)
    return None if row is None else row[0]


async def _waiter(tenancy: Tenancy, empresa_id: int) -> asyncio.Task[object]:
    """A task that waits for the one connection."""
    before = _pool(tenancy, empresa_id).waiting
    task = asyncio.create_task(_ask(tenancy, empresa_id))

    async def queued() -> bool:
        return _pool(tenancy, empresa_id).waiting > before

    await until(queued)
    return task


async def _running(installation: Installation, marker: str) -> bool:
    return any(marker in (info or "") for _, info in await installation.processes())


async def test_200_first_uses_make_one_read_and_no_more_than_the_limit(
    installation: Installation,
) -> None:
    """However many begin at once, the registry is read once and the limit holds."""
    row = await installation.create()
    async with installation.tenancy(tenancy_registry_fresh_s=60) as tenancy:
        sizes: list[int] = []

        async def use() -> object:
            answer = await _ask(tenancy, row.id)
            sizes.append(_pool(tenancy, row.id).size)
            return answer

        answers = await asyncio.gather(*(use() for _ in range(200)))

        assert answers == [42] * 200
        assert max(sizes) <= 4
        assert tenancy.central.pool.size == 1  # one read at a time, so one connection was enough
        assert len(await installation.processes()) <= 4


async def test_a_waiter_is_woken_when_the_holder_is_cancelled(one: One) -> None:
    """aiomysql.Pool hangs here: the holder is cancelled in the middle of a statement."""
    installation, tenancy, empresa = one
    holder = asyncio.create_task(_ask(tenancy, empresa, "SELECT SLEEP(60)"))
    await until(lambda: _running(installation, "SLEEP(60)"))
    waiter = await _waiter(tenancy, empresa)

    holder.cancel()

    assert await asyncio.wait_for(waiter, 3) == 42


async def test_a_waiter_is_woken_when_a_transaction_is_given_back(one: One) -> None:
    """aiomysql.Pool hangs here; and what was not committed is gone."""
    _, tenancy, empresa = one
    async with tenancy.pools.connection(empresa) as conn:
        await conn.execute("BEGIN")
        await conn.execute("INSERT INTO cars (brand) VALUES ('lost')")
        waiter = await _waiter(tenancy, empresa)

    assert await asyncio.wait_for(waiter, 3) == 42
    assert await _ask(tenancy, empresa, "SELECT COUNT(*) FROM cars") == 0


async def test_a_waiter_is_woken_when_the_connection_is_killed(one: One) -> None:
    """The holder is told, the waiter is served."""
    installation, tenancy, empresa = one
    async with tenancy.pools.connection(empresa) as conn:
        waiter = await _waiter(tenancy, empresa)
        ((thread_id, _),) = await installation.processes()
        await installation.sql("KILL %s", (thread_id,))
        with pytest.raises(TenantUnavailable):
            await conn.fetch_one("SELECT 1")

    assert await asyncio.wait_for(waiter, 3) == 42


async def test_all_waiters_fail_at_once_when_no_connection_can_be_made(
    installation: Installation,
) -> None:
    """A dead server costs its callers no waiting time."""
    row = await installation.create()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        await installation.central("UPDATE empresas SET db_port = %s", closed.getsockname()[1])
        async with installation.tenancy(**ONE) as tenancy, asyncio.timeout(3):
            results = await asyncio.gather(
                *(_ask(tenancy, row.id) for _ in range(20)), return_exceptions=True
            )
            pool = _pool(tenancy, row.id)

    assert all(isinstance(result, TenantUnavailable) for result in results)
    assert (pool.size, pool.waiting) == (0, 0)


async def test_idle_connections_that_died_are_no_error(one: One) -> None:
    """A server that closed an idle connection costs its next user nothing."""
    installation, tenancy, empresa = one
    await _ask(tenancy, empresa)
    ((thread_id, _),) = await installation.processes()
    await installation.sql("KILL %s", (thread_id,))

    async def gone() -> bool:
        return not await installation.processes()

    await until(gone)

    assert await _ask(tenancy, empresa) == 42


async def test_a_cancelled_statement_ends_on_the_server(one: One) -> None:
    """Nobody waits for it any more, so the server stops working on it and frees its locks."""
    installation, tenancy, empresa = one
    heavy = "SELECT BENCHMARK(2000000000, MD5('x'))"
    task = asyncio.create_task(_ask(tenancy, empresa, heavy))
    await until(lambda: _running(installation, "BENCHMARK"))

    task.cancel()

    async def ended() -> bool:
        return not await _running(installation, "BENCHMARK")

    await until(ended, within_s=3)


async def test_a_lease_is_dead_after_its_block(one: One) -> None:
    """A connection that serves someone else by now cannot be reached through an old lease."""
    _, tenancy, empresa = one
    kept: list[TenantConnection] = []
    async with tenancy.pools.connection(empresa) as conn:
        kept.append(conn)

    with pytest.raises(RuntimeError, match="given back"):
        await kept[0].fetch_one("SELECT 1")


async def test_a_second_lease_in_one_task_is_refused(one: One) -> None:
    """With every task waiting for its second connection, none would ever end."""
    _, tenancy, empresa = one
    async with tenancy.pools.connection(empresa):
        with pytest.raises(RuntimeError, match="already"):
            await _ask(tenancy, empresa)


async def test_a_lease_serves_one_task_at_a_time(one: One) -> None:
    """Two statements at once on a connection would read each other's answers."""
    _, tenancy, empresa = one
    async with tenancy.pools.connection(empresa) as conn:
        results = await asyncio.gather(
            conn.fetch_one("SELECT 1"), conn.fetch_one("SELECT 2"), return_exceptions=True
        )

    assert results[0] == (1,)
    assert isinstance(results[1], RuntimeError)


@pytest.mark.parametrize(
    "change",
    [
        "SET @cpf = '52998224725'",
        "SET sql_mode = ''",
        "SET time_zone = '-03:00'",
        "SELECT GET_LOCK('x', 0)",
        "USE information_schema",
        "SELECT 1 INTO @cpf",
    ],
)
async def test_nothing_of_a_session_reaches_the_next_user(one: One, change: str) -> None:
    """Variables, locks, modes and the chosen database end with the lease."""
    _, tenancy, empresa = one
    state = "SELECT CONCAT_WS('|', @cpf, @@sql_mode, @@time_zone, DATABASE(), IS_FREE_LOCK('x'))"
    clean = await _ask(tenancy, empresa, state)
    async with tenancy.pools.connection(empresa) as conn:
        await conn.execute(change)

    async def same() -> bool:
        return await _ask(tenancy, empresa, state) == clean

    await until(same)  # a lock ends when the server notices the end of its connection


async def test_a_dead_database_holds_up_no_one_else(installation: Installation) -> None:
    """While one empresa's server never greets, another's statements run."""
    sick = (await installation.create(1)).id
    well = (await installation.create(2)).id
    async with mute_server() as port:
        await installation.central("UPDATE empresas SET db_port = %s WHERE id = %s", (port, sick))
        async with installation.tenancy(tenancy_connect_timeout_s=0.3) as tenancy:
            stuck = [asyncio.create_task(_ask(tenancy, sick)) for _ in range(30)]

            async def begun() -> bool:
                return tenancy.pools.pool(sick) is not None

            await until(begun)
            assert await _ask(tenancy, well) == 42
            assert not any(task.done() for task in stuck)
            results = await asyncio.wait_for(asyncio.gather(*stuck, return_exceptions=True), 3)

    assert all(isinstance(result, TenantUnavailable) for result in results)


async def test_the_limit_of_a_server_holds_over_all_empresas(installation: Installation) -> None:
    """Who needs a place takes that of an idle connection of anyone; no one fails."""
    ids = [(await installation.create(number)).id for number in (1, 2, 3)]
    async with installation.tenancy(tenancy_max_per_host=2) as tenancy:
        gate = tenancy.pools.gate(installation.server.host, installation.server.port)
        seen: list[int] = []

        async def use(empresa: int) -> None:
            await _ask(tenancy, empresa)
            seen.append(gate.taken)

        for empresa in ids * 2:  # each finds the places taken by idle connections of others
            await asyncio.wait_for(use(empresa), 3)
        await asyncio.gather(*(use(empresa) for empresa in ids * 10))

    assert max(seen) <= 2


async def test_random_cancels_leave_the_books_in_order(installation: Installation) -> None:
    """After hundreds of cancels at any moment: no wrong row, no hang, every place given back."""
    ids = [(await installation.create(number)).id for number in (1, 2, 3)]
    for empresa in ids:
        await installation.sql(
            "INSERT INTO cars (brand) VALUES (%s)", (str(empresa),), database=database_of(empresa)
        )
    chance = random.Random(7)  # the same cancels in every run
    async with installation.tenancy(
        tenancy_max_per_empresa=2, tenancy_max_per_host=4, tenancy_registry_fresh_s=60
    ) as tenancy:
        wrong: list[object] = []

        async def use(empresa: int) -> None:
            async with tenancy.pools.transaction(empresa) as conn:
                row = await conn.fetch_one("SELECT brand FROM cars")
                if row != (str(empresa),):
                    wrong.append(row)

        for _ in range(40):
            tasks = [asyncio.create_task(use(chance.choice(ids))) for _ in range(12)]
            for task in tasks:
                for _ in range(chance.randrange(12)):
                    await asyncio.sleep(0)
                if chance.random() < 0.5:
                    task.cancel()
            async with asyncio.timeout(10):
                results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(r) for r in results} <= {type(None), asyncio.CancelledError}, results
            _check_books(tenancy, ids, installation)

    assert wrong == []


def _check_books(tenancy: Tenancy, ids: list[int], installation: Installation) -> None:
    pools = [pool for empresa in ids if (pool := tenancy.pools.pool(empresa)) is not None]
    gate = tenancy.pools.gate(installation.server.host, installation.server.port)
    assert [(pool.in_use, pool.waiting, pool.size - pool.idle) for pool in pools] == [
        (0, 0, 0)
    ] * len(pools)
    assert all(pool.size <= 2 for pool in pools)
    assert gate.taken == sum(pool.size for pool in pools) <= 4


async def test_a_stuck_lease_does_not_stop_the_shutdown(installation: Installation) -> None:
    """close_all ends within its grace time; the stuck one gets an error."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        task = asyncio.create_task(_ask(tenancy, row.id, "SELECT SLEEP(60)"))
        await until(lambda: _running(installation, "SLEEP"))

        async with asyncio.timeout(2):
            await tenancy.pools.close_all(0.1)

        with pytest.raises(TenantUnavailable):
            await asyncio.wait_for(task, 2)
        with pytest.raises(TenantUnavailable, match="stopping"):
            await _ask(tenancy, row.id)


async def test_new_settings_are_taken_up_without_an_error(installation: Installation) -> None:
    """When the registry names other settings, waiters and new callers go there."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        await _ask(tenancy, row.id)
        before = tenancy.pools.pool(row.id)
        await installation.central("UPDATE empresas SET db_host = 'localhost'")

        tenancy.registry.forget(row.id)

        assert await _ask(tenancy, row.id) == 42
        assert tenancy.pools.pool(row.id) is not before
        assert before is not None
        assert before.size == 0

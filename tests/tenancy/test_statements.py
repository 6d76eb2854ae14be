"""Statements, transactions and their errors, as every repository sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import pytest

from schema.errors import (
    BadData,
    CommitUnknown,
    DuplicateKey,
    NotMigrated,
    TenantUnavailable,
    TryAgain,
)
from tenancy.names import database_of
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.tenancy.peers import until

_HEAVY = """
    SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b,
           information_schema.columns c, information_schema.columns d
"""
Dealer = tuple[Installation, Tenancy, int]


@pytest.fixture
async def dealer(installation: Installation) -> AsyncIterator[Dealer]:
    """An empresa with the room put together."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        yield installation, tenancy, row.id


async def test_rows_come_as_tuples_or_by_name(dealer: Dealer) -> None:
    """fetch_all, fetch_one, fetch_dicts, last_id and the counts say what they promise."""
    _, tenancy, empresa = dealer
    async with tenancy.pools.connection(empresa) as conn:
        assert await conn.execute("INSERT INTO cars (brand) VALUES (%s)", ("Fiat",)) == 1
        first = conn.last_id
        sql = "INSERT INTO cars (brand, model) VALUES (%(brand)s, %(model)s)"
        rows = [{"brand": "VW", "model": name} for name in ("Gol", "100%", "D'Água")]
        assert await conn.execute_many(sql, rows) == 3
        assert conn.last_id == first + 1
        assert await conn.execute_many(sql, []) == 0
        assert await conn.fetch_one("SELECT id FROM cars WHERE id = 0") is None
        assert await conn.fetch_dicts("SELECT model FROM cars WHERE brand = 'VW' ORDER BY id") == [
            {"model": "Gol"},
            {"model": "100%"},
            {"model": "D'Água"},
        ]
        assert await conn.fetch_all("SELECT brand FROM cars WHERE brand LIKE 'F%'") == [("Fiat",)]


async def test_an_update_counts_the_rows_that_it_finds(dealer: Dealer) -> None:
    """An UPDATE to the value that is there still says that the row exists."""
    _, tenancy, empresa = dealer
    async with tenancy.pools.connection(empresa) as conn:
        await conn.execute("INSERT INTO cars (id, brand) VALUES (1, 'Fiat')")
        assert await conn.execute("UPDATE cars SET brand = 'Fiat' WHERE id = 1") == 1
        assert await conn.execute("UPDATE cars SET brand = 'Fiat' WHERE id = 2") == 0


async def test_times_are_stored_in_utc(dealer: Dealer) -> None:
    """A time with a zone is the same moment in the database."""
    _, tenancy, empresa = dealer
    at = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=-3)))
    async with tenancy.pools.connection(empresa) as conn:
        row = await conn.fetch_one("SELECT TIMESTAMP(%(at)s)", {"at": at})
    assert row == (datetime(2026, 11, 24, 12, 30),)  # noqa: DTZ001 - times come out naive


async def test_errors_are_named_and_quote_no_values(dealer: Dealer) -> None:
    """Callers choose by class; a phone number of a buyer never gets into an error's text."""
    _, tenancy, empresa = dealer
    async with tenancy.pools.connection(empresa) as conn:
        customer = "INSERT INTO customers (phone) VALUES (%s)"
        await conn.execute(customer, ("5541998765432",))
        with pytest.raises(DuplicateKey) as duplicate:
            await conn.execute(customer, ("5541998765432",))
        with pytest.raises(BadData) as long:
            await conn.execute(customer, ("55419987654321234567890",))
        with pytest.raises(BadData):
            await conn.execute("INSERT INTO conversations (customer_id) VALUES (99)")
        with pytest.raises(NotMigrated):
            await conn.execute("SELECT nothing FROM cars")
        with pytest.raises(NotMigrated):
            await conn.execute("UPDATE nothing SET id = 1")
        with pytest.raises(ValueError, match="a statement of its own"):
            await conn.execute("SELECT 1; SELECT 2")
        assert await conn.fetch_one("SELECT 'a; it''s \\'; b' AS `c;d`") == ("a; it's '; b",)
        assert await conn.fetch_one("SELECT 1") == (1,)

    assert duplicate.value.key == "phone"
    assert long.value.column == "phone"
    for error in (duplicate.value, long.value):
        assert "5541" not in str(error)
        assert error.__cause__ is None
        assert error.__suppress_context__


async def test_a_lock_or_a_slow_statement_is_worth_another_try(installation: Installation) -> None:
    """Locks and time limits are TryAgain, and the connection stays usable."""
    row = await installation.create()
    async with (
        installation.tenancy(tenancy_statement_timeout_s=0.2) as tenancy,
        installation.server.connect(database_of(row.id)) as other,
        other.cursor() as cursor,
        tenancy.pools.connection(row.id) as conn,
    ):
        await conn.execute("INSERT INTO cars (id) VALUES (1)")
        await other.begin()
        await cursor.execute("SELECT id FROM cars WHERE id = 1 FOR UPDATE")
        with pytest.raises(TryAgain):
            await conn.fetch_one("SELECT id FROM cars WHERE id = 1 FOR UPDATE NOWAIT")
        with pytest.raises(TryAgain):
            await conn.fetch_one(_HEAVY)
        await other.rollback()
        assert await conn.fetch_one("SELECT id FROM cars") == (1,)


async def test_a_transaction_is_all_or_nothing(dealer: Dealer) -> None:
    """An error in the block leaves no trace; without one everything is there."""
    _, tenancy, empresa = dealer

    async def fail() -> None:
        async with tenancy.pools.transaction(empresa) as conn:
            await conn.execute("INSERT INTO cars (brand) VALUES ('no')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with tenancy.pools.transaction(empresa) as conn:
        await conn.execute("INSERT INTO cars (brand) VALUES ('yes')")
    async with tenancy.pools.connection(empresa) as conn:
        assert await conn.fetch_all("SELECT brand FROM cars") == [("yes",)]
    pool = tenancy.pools.pool(empresa)
    assert pool is not None
    assert pool.size == 1  # the rollback kept the connection


async def test_a_reader_sees_what_others_committed_meanwhile(dealer: Dealer) -> None:
    """No stale snapshot is kept between statements, nor within a transaction."""
    installation, tenancy, empresa = dealer
    async with tenancy.pools.transaction(empresa) as conn:
        assert await conn.fetch_one("SELECT COUNT(*) FROM cars") == (0,)
        await installation.sql("INSERT INTO cars VALUES ()", database=database_of(empresa))
        assert await conn.fetch_one("SELECT COUNT(*) FROM cars") == (1,)


async def test_a_cancelled_transaction_frees_its_locks(dealer: Dealer) -> None:
    """After a cancel in the block nothing is stored and the row can be locked by others."""
    installation, tenancy, empresa = dealer
    await installation.sql("INSERT INTO cars (id) VALUES (1)", database=database_of(empresa))
    inside = asyncio.Event()

    async def hold() -> None:
        async with tenancy.pools.transaction(empresa) as conn:
            await conn.execute("UPDATE cars SET brand = 'no' WHERE id = 1")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with tenancy.pools.transaction(empresa) as conn:
        assert await conn.fetch_one("SELECT brand FROM cars WHERE id = 1 FOR UPDATE") == (None,)


async def test_a_cancel_during_commit_waits_for_its_answer(dealer: Dealer) -> None:
    """The server commits what it was sent; the connection goes back only when that is over."""
    _, tenancy, empresa = dealer
    committing = asyncio.Event()

    async def store() -> None:
        async with tenancy.pools.transaction(empresa) as conn:
            await conn.execute("INSERT INTO cars (brand) VALUES ('once')")
            committing.set()

    task = asyncio.create_task(store())
    await committing.wait()  # the task goes on to COMMIT before this test runs again
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    pool = tenancy.pools.pool(empresa)
    assert pool is not None
    assert (pool.size, pool.idle) == (1, 1)  # neither cut nor lent out in mid-commit
    async with tenancy.pools.connection(empresa) as conn:
        assert await conn.fetch_all("SELECT brand FROM cars") == [("once",)]


async def test_a_lost_answer_to_commit_says_so(dealer: Dealer) -> None:
    """The caller learns that no one knows, and repeats its idempotent unit."""
    installation, tenancy, empresa = dealer

    async def gone() -> bool:
        return not await installation.processes()

    async def store() -> None:
        async with tenancy.pools.transaction(empresa) as conn:
            await conn.execute("INSERT INTO cars (brand) VALUES ('maybe')")
            ((thread_id, _),) = await installation.processes()
            await installation.sql("KILL %s", (thread_id,))
            await until(gone)

    with pytest.raises(CommitUnknown):
        await store()


async def test_a_mute_server_is_given_up(dealer: Dealer) -> None:
    """A deadline of ours ends a statement even when the server's own limit does not."""
    _, tenancy, empresa = dealer
    async with tenancy.pools.connection(empresa) as conn:
        session = conn._held()
        with pytest.raises(TenantUnavailable):
            await session.run("SELECT SLEEP(5)", deadline_s=0.05)
        with pytest.raises(TenantUnavailable):
            await conn.fetch_one("SELECT 1")

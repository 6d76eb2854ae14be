"""Several statements in one round trip: their order, their results, and what a failure leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from schema.errors import BadData, DuplicateKey
from tenancy import session, trips
from tenancy.driver import QuietCursor
from tenancy.pools import TenantPoolManager
from tenancy.trips import Result, in_trips
from tests.tenancy.installation import Installation

_NEW = "INSERT INTO customers (phone, name) VALUES (%s, %s)"
_ALL = "SELECT phone, name FROM customers ORDER BY phone"


@dataclass(frozen=True, slots=True)
class Dealer:
    """One dealer, and the pools that reach him."""

    id: int
    pools: TenantPoolManager


@pytest.fixture
async def dealer(installation: Installation) -> AsyncIterator[Dealer]:
    """With an empty database."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        yield Dealer(row.id, tenancy.pools)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The trips from here on, each with its statements."""
    noted: list[list[str]] = []

    async def noted_trip(cursor: QuietCursor, trip: Sequence[str]) -> list[Result]:
        noted.append(list(trip))
        return await trips.results_of(cursor, trip)

    monkeypatch.setattr(session, "results_of", noted_trip)
    return noted


async def test_statements_go_together_and_each_has_its_result(dealer: Dealer) -> None:
    """Rows, counts and ids are each statement's own."""
    async with dealer.pools.connection(dealer.id) as conn:
        new, rows, changed, none = await conn.run_together(
            (_NEW, ("551", "Ana; DROP TABLE customers; --")),
            (_ALL, ()),
            ("UPDATE customers SET name = %(name)s WHERE phone IN %(phones)s",
             {"name": "it's; \\", "phones": ["551", "552"]}),
            ("SELECT 1 FROM customers WHERE phone = %s", ("559",)),
        )  # fmt: skip
        assert await conn.fetch_one("SELECT name FROM customers") == ("it's; \\",)

    assert (new.matched, new.last_id) == (1, 1)
    assert list(rows.rows) == [("551", "Ana; DROP TABLE customers; --")]
    assert (changed.matched, list(none.rows)) == (1, [])


async def test_what_can_wait_goes_with_the_next_statement(
    dealer: Dealer, sent: list[list[str]]
) -> None:
    """BEGIN does, too; what still waits at the end goes before COMMIT."""
    async with dealer.pools.transaction(dealer.id) as conn:
        sent.clear()
        conn.later(_NEW, ("551", "Ana"))
        conn.later_many(_NEW, [("552", "Bia"), ("553", "Caio")])
        assert await conn.execute("UPDATE customers SET name = 'Eva' WHERE phone = '553'") == 1
        conn.later(_NEW, ("554", "Davi"))
    assert [len(trip) for trip in sent] == [4, 1, 1]
    assert (sent[0][0], sent[-1]) == ("BEGIN", ["COMMIT"])

    async with dealer.pools.connection(dealer.id) as conn:
        assert [name for _, name in await conn.fetch_all(_ALL)] == ["Ana", "Bia", "Eva", "Davi"]


async def test_a_transaction_that_asks_nothing_sends_nothing(
    dealer: Dealer, sent: list[list[str]]
) -> None:
    """Whether it ends well or not. (A test's registry is read each time.)"""
    async with dealer.pools.transaction(dealer.id):
        sent.clear()
    with pytest.raises(ZeroDivisionError):
        async with dealer.pools.transaction(dealer.id):
            raise ZeroDivisionError
    assert not [
        sql for trip in sent for sql in trip if not sql.lstrip().startswith("SELECT id, nome")
    ]


@pytest.mark.parametrize("ends", ["with_a_statement", "with_the_block"])
async def test_a_failure_of_what_waited_undoes_all(
    dealer: Dealer, sent: list[list[str]], ends: str
) -> None:
    """It is raised where it is carried out, what came behind it is not run, and the connection
    serves the next one."""

    async def fails() -> None:
        async with dealer.pools.transaction(dealer.id) as conn:
            await conn.execute(_NEW, ("551", "Ana"))
            conn.later(_NEW, ("551", "Bia"))
            conn.later(_NEW, ("552", "Caio"))
            if ends == "with_a_statement":
                await conn.execute(_NEW, ("553", "Davi"))

    with pytest.raises(DuplicateKey):
        await fails()
    assert sent[-1] == ["ROLLBACK"]

    async with dealer.pools.connection(dealer.id) as conn:
        assert await conn.fetch_all(_ALL) == []
    pool = dealer.pools.pool(dealer.id)
    assert pool is not None
    assert (pool.size, pool.idle) == (1, 1)


async def test_a_statement_that_fails_ends_its_trip(dealer: Dealer) -> None:
    """Those before it stand, where each commits by itself; those behind it were not run."""
    async with dealer.pools.connection(dealer.id) as conn:
        with pytest.raises(BadData):
            await conn.run_together(
                (_NEW, ("551", "Ana")), (_NEW, ("5" * 40, "Bia")), (_NEW, ("553", "Caio"))
            )
        assert await conn.fetch_all(_ALL) == [("551", "Ana")]


async def test_outside_a_transaction_nothing_waits(dealer: Dealer) -> None:
    """There may be no next statement that would carry it."""
    async with dealer.pools.connection(dealer.id) as conn:
        with pytest.raises(RuntimeError, match="only in a transaction"):
            conn.later(_NEW, ("551", "Ana"))


async def test_a_cancelled_transaction_leaves_nothing_waiting(dealer: Dealer) -> None:
    """The next user of the connection does not carry out what another had meant to."""

    async def is_cancelled() -> None:
        async with dealer.pools.transaction(dealer.id) as conn:
            conn.later(_NEW, ("551", "Ana"))
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await is_cancelled()
    async with dealer.pools.connection(dealer.id) as conn:
        assert await conn.fetch_all(_ALL) == []


def test_no_trip_is_larger_than_a_server_takes() -> None:
    """Large statements go alone, in their order."""
    large, small = "x" * 900_000, "y" * 90_000
    texts = [small, large, small, small, large, large]
    found = list(in_trips(texts))
    assert [text for trip in found for text in trip] == texts
    assert [len(trip) for trip in found] == [2, 2, 1, 1]
    assert list(in_trips([])) == []

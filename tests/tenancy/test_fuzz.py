"""The short form of `make fuzz-pools`, and that it would notice."""

from __future__ import annotations

import asyncio
import random
import secrets

from dev.fuzz.cancel import CancelledAt
from dev.fuzz.run import Ground, fuzz
from tests.tenancy.installation import Installation

SECONDS = 20
EMPRESAS = 50


async def test_cancels_at_every_await_leave_the_books_in_order(installation: Installation) -> None:
    """Thousands of uses, most of them cancelled somewhere, while connections are evicted, retired,
    reaped and killed: no foreign row, no lost commit, no hang, no connection that nobody knows."""
    for number in range(1, EMPRESAS + 1):
        await installation.create(number)
    ids = tuple(installation.empresa_id(number) for number in range(1, EMPRESAS + 1))
    seed = secrets.randbelow(2**31)

    report = await fuzz(
        Ground(server=installation.server, settings=installation.settings, ids=ids),
        seconds=SECONDS,
        seed=seed,
    )

    assert report.is_clean, (seed, report)
    assert report.queries > 500
    assert report.cancelled > 300


async def test_a_cancel_comes_at_the_await_that_was_asked_for() -> None:
    """Or the awaits in which nothing can go wrong would be the only ones that are tried."""
    steps: list[int] = []

    async def walk() -> None:
        for step in range(10):
            steps.append(step)
            await asyncio.sleep(0)

    async def cancelled_at(step: int) -> None:
        await CancelledAt(walk(), step, chance=random.Random(step))

    for step in range(10):
        steps.clear()
        task = asyncio.create_task(cancelled_at(step))
        await asyncio.wait({task})
        assert task.cancelled()
        assert steps in (list(range(step + 1)), list(range(step + 2)))


async def test_a_cancel_may_come_in_the_moment_of_being_handed_something() -> None:
    """The waiter's future has its result, and the waiter never gets to know."""
    handed: list[bool] = []
    for seed in range(20):
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()

        async def wait(future: asyncio.Future[int] = future) -> None:
            try:
                await future
            except asyncio.CancelledError:
                handed.append(not future.cancelled())
                raise

        async def run(seed: int = seed) -> None:
            await CancelledAt(wait(), 0, chance=random.Random(seed))

        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        future.set_result(1)
        await asyncio.wait({task})
        assert task.cancelled()

    assert True in handed

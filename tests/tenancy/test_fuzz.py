"""The short form of `make fuzz-pools`, and that it would notice."""

from __future__ import annotations

import asyncio
import random
import secrets

import pytest

from dev.fuzz.cancel import CancelledAt
from dev.fuzz.changes import Changes
from dev.fuzz.ground import Ground
from dev.fuzz.report import Report
from dev.fuzz.run import fuzz
from dev.fuzz.users import Users
from schema.errors import NotConfigured, TenantRefused
from tenancy.direct import direct
from tenancy.faults import TenantFaults
from tenancy.target import Limits, Target
from tests.tenancy.installation import Installation

SECONDS = 20
EMPRESAS = 50


async def test_cancels_at_every_await_leave_the_books_in_order(installation: Installation) -> None:
    """Thousands of uses, most of them cancelled somewhere, while connections are evicted, retired,
    reaped and killed, and passwords, addresses and status change: no foreign row, no lost commit,
    no hang, no connection that nobody knows."""
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
    assert report.changes > 20


async def test_each_change_is_a_real_one_and_leaves_the_empresa_served(
    installation: Installation,
) -> None:
    """A password that opens no more, another server of the pools, a moment of suspension."""
    row = await installation.create()
    ground = Ground(server=installation.server, settings=installation.settings, ids=(row.id,))
    async with installation.tenancy() as tenancy:
        changes = Changes(tenancy, ground, random.Random(1))

        async def served() -> tuple[Target, int]:
            async with tenancy.pools.connection(row.id) as conn:
                await conn.fetch_all("SELECT empresa_id FROM _tenant")
            config = await tenancy.registry.tenant(row.id)
            return config.target, config.versao

        async def opens(target: Target) -> bool:
            try:
                async with direct(target, Limits(), TenantFaults(row.id)):
                    return True
            except TenantRefused:
                return False

        for change in (changes.rotate, changes.cut_over):
            before, _ = await served()
            await change(row.id)
            after, versao = await served()
            assert not await opens(before)
            assert await opens(after)

        await changes.move(row.id)
        assert (await served())[0].host != after.host

        assert not changes.is_suspended(row.id)
        await changes.suspend(row.id)
        assert (await served())[1] == versao + 3
        assert changes.is_suspended(row.id)  # for a while somebody may still hold the old row


async def test_a_refusal_without_a_suspension_ends_the_run(installation: Installation) -> None:
    """It would be a bug of the pools, and no run may pass over it."""
    row = await installation.create()
    await installation.central("UPDATE empresas SET status = 'suspenso' WHERE id = %s", (row.id,))
    report = Report()
    async with installation.tenancy() as tenancy:

        def users(*, excused: bool) -> Users:
            return Users(
                tenancy,
                (row.id,),
                report,
                random.Random(1),
                after_each=lambda: None,
                excused=lambda _id: excused,
            )

        loop = asyncio.get_running_loop()
        await users(excused=True).work(loop.time() + 0.2)
        assert report.suspended > 0
        with pytest.raises(NotConfigured, match="suspenso"):
            await users(excused=False).work(loop.time() + 30)


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

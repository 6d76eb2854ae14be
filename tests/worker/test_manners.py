"""One dealer's backlog beside others who write now and then: they do not wait for it."""

from __future__ import annotations

import asyncio

import pytest

from tests.tenancy.installation import Installation
from tests.worker.shop import BY_THE_TEST, event, open_shop
from worker.drain.manners import Manners
from worker.drain.transaction import DrainTransaction

BIG, SMALL, OTHER_BIG = 1, 2, 3
OTHER_BUYER = "5511980000002"


class Clock:
    """Handed in; moves when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_backlog_takes_little_at_once_while_others_write() -> None:
    """And rests after it; a second after the last of them it takes all that it can again."""
    clock = Clock()
    manners = Manners(batch=512, clock=clock)
    assert manners.most(BIG) == 512
    manners.note(SMALL, events=1, has_backlog=False)

    assert manners.most(BIG) == 8
    assert manners.rest_s(BIG, 0.02) == pytest.approx(0.04)
    assert manners.rest_s(BIG, 60.0) == 0.25
    clock.now += 1.5
    assert manners.most(BIG) == 512
    assert manners.rest_s(BIG, 0.02) == 0


def test_backlogs_of_equals_are_not_slowed_for_each_other() -> None:
    """Twenty dealers come back from an outage: all would only be slower."""
    manners = Manners(batch=512, clock=Clock())
    manners.note(BIG, events=512, has_backlog=True)
    manners.note(OTHER_BIG, events=512, has_backlog=True)

    assert manners.most(BIG) == manners.most(OTHER_BIG) == 512


def test_a_dealer_does_not_wait_for_himself_nor_for_who_has_nothing() -> None:
    """Empty drains and his own light past do not count."""
    manners = Manners(batch=512, clock=Clock())
    manners.note(BIG, events=3, has_backlog=False)
    manners.note(SMALL, events=0, has_backlog=False)

    assert manners.most(BIG) == 512
    assert manners.most(SMALL) == 8


async def test_7_others_are_answered_before_a_backlog_is_done(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They write while it is worked off, in the same process: stored and answered between two of
    its small batches."""
    sizes: list[int] = []
    second_pass = asyncio.Event()
    run = DrainTransaction.run

    async def counted(self, lease, arrivals, **how):  # type: ignore[no-untyped-def]
        if lease.empresa_id == big.empresa_id:
            sizes.append(len(arrivals))
            if len(sizes) == 2:
                second_pass.set()
        return await run(self, lease, arrivals, **how)

    async with (
        open_shop(installation, redis_url, 1, batch=256, slice_s=60) as big,
        open_shop(installation, redis_url, 2) as small,
    ):
        drainer = big.jobs.drainer
        monkeypatch.setattr(drainer, "_manners", Manners(batch=256, clock=lambda: 0.0))
        monkeypatch.setattr(DrainTransaction, "run", counted)
        await small.push(event("oi", channel="loja-2"))
        await drainer.drain(small.empresa_id, BY_THE_TEST)
        await big.push(*(event(str(n), phone=f"55119800{n % 20:05}") for n in range(62)))

        async with asyncio.timeout(30), asyncio.TaskGroup() as working:
            working.create_task(big.drain())
            await second_pass.wait()
            await small.push(event("tem onix?", phone=OTHER_BUYER, channel="loja-2"))
            await drainer.drain(small.empresa_id, BY_THE_TEST)
            assert await small.texts("enviada") == ["eco: oi", "eco: tem onix?"]
            assert await big.waiting() > 0
        assert sizes[:15] == [4] * 15
        assert await big.texts("recebida") == [str(n) for n in range(62)]

"""Redis under Sentinel loses its master, under the real processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from dev.servers import process
from dev.servers.sentinel import Guarded, guarded_redis
from tests.tenancy.installation import Installation
from tests.worker.shop import event
from tests.worker.test_processes import BUYERS, doubled, open_city
from worker.queue.functions import VERSION, Copies, Functions, TooFewCopies
from worker.queue.inbox import Inbox
from worker.settings import WorkerSettings


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    """A master, its replica and three Sentinels of this test's own."""
    with guarded_redis() as servers:
        yield servers


async def test_1_2_a_master_killed_amid_the_messages(
    installation: Installation, guarded: Guarded
) -> None:
    """The processes live on and follow; what had 200 is stored once and answered once, what was
    refused is pushed again; no password is in the log."""
    changes = {
        "REDIS_SENTINEL_PASSWORD": guarded.sentinel_password,
        "WORKER_LEASE_S": "2",
        "WEB_WAIT_REPLICAS": "1",
    }
    texts = [f"tem argo até {number} mil?" for number in range(60, 64)]
    async with open_city(installation, guarded.url, changes=changes) as city:
        worker = await city.stack.worker()
        for text in texts:
            for number, buyer in enumerate(BUYERS):
                if (text, number) == (texts[1], 9):
                    guarded.master.kill()
                for dealer in city.dealers:
                    dealer.phone._pace = 0.1
                    await dealer.phone.buyer_writes(buyer, text)
            if text == texts[1]:
                await asyncio.to_thread(_wait_for_failover, guarded)

        async def all_answered() -> bool:
            stored = await city.stored()
            return stored == len(texts) * len(BUYERS) * 2 and not sum(
                [await dealer.unanswered() for dealer in city.dealers]
            )

        await city.stack.until(all_answered, timeout_s=60)

        assert worker.child.returncode is None
        assert city.web.child.returncode is None
        assert 503 in {push.status for dealer in city.dealers for push in dealer.phone.pushes}
        for dealer in city.dealers:
            for stored in (await dealer.received()).values():
                assert sorted(stored) == texts  # what is pushed again may come behind the next
            assert {decisions for _, _, decisions in await dealer.sent_turns()} == {1}
            assert await doubled(dealer) == 0
        lines = [line for process in city.stack.processes for line in process.lines]
        assert guarded.password not in str(lines)
        assert guarded.sentinel_password not in str(lines)


async def test_1_no_200_before_the_replicas_have_it(guarded: Guarded) -> None:
    """A push that only the master has is not done, and a repetition of it is: the function library
    came over with the data."""
    settings = WorkerSettings(
        redis_url=SecretStr(guarded.url),
        redis_sentinel_password=SecretStr(guarded.sentinel_password),
    )
    async with Redis.from_pool(settings.redis()) as redis:
        assert await Inbox(redis, copies=Copies(2, wait_ms=5_000)).push(42, [event("oi")]) == 1
        with pytest.raises(TooFewCopies):
            await Inbox(redis, copies=Copies(3, wait_ms=1)).push(42, [event("oi")])
        guarded.master.kill()
        await asyncio.to_thread(_wait_for_failover, guarded)

        assert await Functions(redis).version() == VERSION
        assert await Inbox(redis).depth(42) == 2


def _wait_for_failover(guarded: Guarded) -> None:
    assert process.wait_until(guarded.is_failed_over, limit_s=30)

"""A ring comes in time, and a worker's end is noticed: what no sweep should have to repair."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisGone

from tests.worker.shop import Shop, event
from worker.queue.bell import Bell
from worker.queue.keys import Task, TaskKeys
from worker.queue.lease import Lease, LeaseLost
from worker.sweep import sweep, sweep_for_ever


async def test_a_new_event_moves_a_job_for_later_to_now(shop: Shop) -> None:
    """A burst's turn is due in some seconds; another buyer's message does not wait for that."""
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    now_ms = (await lease.look()).now_ms
    await lease.leave(next_at_ms=now_ms + 30_000)
    ((job, later_ms),) = await shop.queued()
    assert later_ms == now_ms + 30_000

    await shop.push(event())

    ((same, at_ms),) = await shop.queued()
    assert same == job
    assert at_ms < now_ms + 30_000


async def test_an_event_behind_a_job_that_just_ended_has_a_job_of_its_own(shop: Shop) -> None:
    """arq keeps a job in its queue until it has ended: such a one hears no further ring."""
    await shop.push(event())
    ((running, _),) = await shop.queued()
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id=running)
    assert lease is not None
    look = await lease.look(most=10)
    assert len(look.entries) == 1
    await lease.leave(next_at_ms=None)

    await shop.push(event())

    assert len([job for job, _ in await shop.queued() if job != running]) == 1


async def test_a_worker_that_dies_at_work_is_missed_without_any_further_event(shop: Shop) -> None:
    """The lease runs out, the mark that it left says when to look."""
    await shop.push(event())
    ((running, _),) = await shop.queued()
    desk = shop.desk()
    desk.life_ms = 1
    assert await desk.take(Task.DRAIN, shop.empresa_id, job_id=running) is not None
    await shop.redis.zrem("arq:queue", running)

    async with asyncio.timeout(10):
        while not await sweep(Bell(shop.redis)):
            pass

    assert len(await shop.queued()) == 1


async def test_a_heartbeat_keeps_the_lease_of_a_worker_that_is_busy(shop: Shop) -> None:
    """A slow database may take longer than a lease's life: nobody else starts meanwhile."""
    desk = shop.desk()
    desk.life_ms = 4_000
    lease = await desk.take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    key = TaskKeys(shop.empresa_id, Task.DRAIN).lease

    async with asyncio.timeout(3.5), lease.kept():
        left_ms = await shop.redis.pttl(key)
        while (now_left_ms := await shop.redis.pttl(key)) <= left_ms:
            left_ms = now_left_ms

    assert await lease.leave(next_at_ms=None)


async def test_a_worker_that_lost_its_lease_is_stopped_by_its_heartbeat(shop: Shop) -> None:
    """Not by some later deadline: until then two would work side by side."""
    desk = shop.desk()
    desk.life_ms = 40
    lease = await desk.take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    async with asyncio.timeout(10) as deadline:
        with pytest.raises(LeaseLost):
            await _lose_it(shop, lease)

    assert not deadline.expired()


async def test_a_delivery_that_nobody_does_is_rung_for_too(shop: Shop) -> None:
    """The sweep looks after both tasks."""
    await Bell(shop.redis).ring(Task.DELIVER, shop.empresa_id)
    await shop.redis.delete("arq:queue:deliver")

    assert await sweep(Bell(shop.redis)) == 1

    assert len(await shop.queued(Task.DELIVER)) == 1


async def test_the_sweep_outlives_a_redis_that_is_away(shop: Shop) -> None:
    """It is what repairs lost rings, so it must be there when Redis is back."""
    await shop.push(event())
    await shop.redis.delete("arq:queue")
    away = _AwayOnce(shop.redis)
    task = asyncio.create_task(
        sweep_for_ever(away, Bell(shop.redis), _nobody, every_s=0.01)  # type: ignore[arg-type]
    )
    try:
        async with asyncio.timeout(10):
            while not await shop.queued() and not task.done():
                pass
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert away.failed
    assert len(await shop.queued()) == 1


async def _nobody() -> list[int]:
    """No dealer is rung for by the round that asks the registry."""
    return []


async def _lose_it(shop: Shop, lease: Lease) -> None:
    async with lease.kept():
        await shop.redis.set(TaskKeys(shop.empresa_id, Task.DRAIN).lease, b"another")
        await asyncio.Event().wait()


class _AwayOnce:
    """A client whose first command finds no server."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.failed = False

    async def set(self, *args: object, **kwargs: object) -> object:
        if not self.failed:
            self.failed = True
            raise RedisGone("away")
        return await self._redis.set(*args, **kwargs)  # type: ignore[arg-type]

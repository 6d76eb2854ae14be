"""A job starts when it is rung for or due, not when somebody happens to look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from arq import func
from arq.connections import ArqRedis
from pydantic import SecretStr

from tests.worker.shop import Shop
from worker.arq_queues import connect
from worker.queue import woken
from worker.queue.bell import Bell
from worker.queue.keys import QUEUE, Task
from worker.queue.rings import RingListener
from worker.queue.woken import WokenWorker
from worker.settings import WorkerSettings

_NEVER_S = 3600.0
_PATIENCE_S = 20


class _Place:
    """A worker whose only job says that it runs, and that says when it goes to rest."""

    def __init__(self, redis: ArqRedis, rings: RingListener, *, poll_delay: float) -> None:
        self.started: asyncio.Queue[int] = asyncio.Queue()
        self.rests = asyncio.Event()
        place = self

        class Watched(WokenWorker):
            async def _rest_s(self) -> float:
                longest_s = await super()._rest_s()
                place.rests.set()
                return longest_s

        async def drain_inbox(ctx: dict[str, Any], empresa_id: int) -> None:
            await ctx["redis"].zrem(QUEUE, ctx["job_id"])
            await place.started.put(empresa_id)

        self.worker = Watched(
            rings=rings,
            poll_delay=poll_delay,
            functions=[func(drain_inbox, name=Task.DRAIN.value, keep_result=0)],
            queue_name=QUEUE,
            redis_pool=redis,
            handle_signals=False,
            job_serializer=redis.job_serializer,
            job_deserializer=redis.job_deserializer,
        )

    async def starts(self) -> int:
        """The next job that starts."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self.started.get()


@asynccontextmanager
async def _at_work(url: str, *, listens: bool, poll_delay: float) -> AsyncIterator[_Place]:
    """A worker that has looked once, found nothing, and rests."""
    redis, rings = await connect(WorkerSettings(redis_url=SecretStr(url))), RingListener()
    place = _Place(redis, rings, poll_delay=poll_delay)
    tasks = [asyncio.create_task(rings.listen_for_ever(redis))] if listens else []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            if listens:
                await rings.rest(QUEUE, longest_s=_PATIENCE_S)  # a new subscription ends it
            tasks.append(asyncio.create_task(place.worker.async_run()))
            await place.rests.wait()
        yield place
    finally:
        for task in tasks:
            await _end(task)
        await asyncio.gather(*place.worker.tasks.values(), return_exceptions=True)
        await redis.aclose()


async def _end(task: asyncio.Task[None]) -> None:
    """Until it has heard: a driver may lose a cancel to an answer of the same moment."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)


async def test_a_ring_wakes_a_resting_worker(
    shop: Shop, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody polls here: without the ring's word the job would wait for an hour."""
    monkeypatch.setattr(woken, "_LONGEST_REST_S", _NEVER_S)
    async with _at_work(redis_url, listens=True, poll_delay=_NEVER_S) as place:
        assert await Bell(shop.redis).ring(Task.DRAIN, shop.empresa_id)
        assert await place.starts() == shop.empresa_id


async def test_a_worker_rests_until_its_next_job_is_due(
    shop: Shop, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn whose quiet window ends soon is taken then, without another ring."""
    monkeypatch.setattr(woken, "_LONGEST_REST_S", _NEVER_S)
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="before")
    assert lease is not None
    due_ms = (await lease.look()).now_ms + 300
    await lease.leave(next_at_ms=due_ms)
    async with _at_work(redis_url, listens=True, poll_delay=0.001) as place:
        assert await place.starts() == shop.empresa_id

    seconds, micros = await shop.redis.time()
    assert seconds * 1000 + micros // 1000 >= due_ms


async def test_a_ring_that_nobody_heard_costs_a_short_rest(shop: Shop, redis_url: str) -> None:
    """The worker believes that it hears; the word gets lost; it looks again by itself."""
    async with _at_work(redis_url, listens=False, poll_delay=_NEVER_S) as place:
        place.rests.clear()
        place.worker._rings.heard = True
        place.worker._rings._rung[QUEUE].set()  # ends the rest for which it did not hear
        async with asyncio.timeout(_PATIENCE_S):
            await place.rests.wait()
        assert await Bell(shop.redis).ring(Task.DRAIN, shop.empresa_id)
        assert await place.starts() == shop.empresa_id


async def test_a_worker_that_hears_nothing_polls(shop: Shop, redis_url: str) -> None:
    """While the subscription is away, arq's own polling goes on."""
    async with _at_work(redis_url, listens=False, poll_delay=0.01) as place:
        assert await Bell(shop.redis).ring(Task.DRAIN, shop.empresa_id)
        assert await place.starts() == shop.empresa_id


async def test_a_new_subscription_looks_at_once(redis_url: str) -> None:
    """What was rung for while nobody listened is not known: all who rest look again."""
    redis, rings = await connect(WorkerSettings(redis_url=SecretStr(redis_url))), RingListener()
    rings.reset(QUEUE)
    listening = asyncio.create_task(rings.listen_for_ever(redis))
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await rings.rest(QUEUE, longest_s=_NEVER_S)
        assert rings.heard
    finally:
        await _end(listening)
        await redis.aclose()
    assert not rings.heard

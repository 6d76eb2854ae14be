"""What arq does and does not do: facts that our own net (rings, leases, the sweep) is built on.

A release of arq in which one of these fails needs a second look at worker/queue.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from arq import Retry, func
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from arq.typing import WorkerCoroutine
from arq.worker import Worker

from tests.worker.shop import Shop, event
from worker.arq_queues import make_worker
from worker.queue.bell import Bell
from worker.queue.keys import Task, arq_job
from worker.sweep import sweep

_DAY_MS = 24 * 3600 * 1000


def burst(redis: ArqRedis, job: WorkerCoroutine, **more: Any) -> Worker:
    """A plain arq worker of one job, which stops when the queue is empty."""
    return Worker(
        functions=[func(job, name="job", keep_result=0)],
        redis_pool=redis,
        burst=True,
        poll_delay=0.01,
        handle_signals=False,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
        **more,
    )


async def test_a_jobs_body_expires_after_a_day(shop: Shop) -> None:
    """arq's own and that of a ring; the queue would still hold the id."""
    await shop.redis.enqueue_job("job", _job_id="arqs", _queue_name="elsewhere")
    await shop.push(event())
    ((ring, _),) = await shop.queued()

    for body in (arq_job("arqs"), arq_job(ring)):
        assert _DAY_MS - 60_000 < await shop.redis.pttl(body) <= _DAY_MS


async def test_1_a_job_without_its_body_is_dropped_and_rung_for_again(shop: Shop) -> None:
    """arq runs nothing for it and takes the id off the queue; the sweep queues another."""
    await shop.push(event("oi"))
    ((ring, _),) = await shop.queued()
    await shop.redis.delete(arq_job(ring))
    worker = make_worker(shop.settings.worker, shop.redis, shop.jobs, Task.DRAIN)
    worker.burst = True

    await worker.async_run()
    assert await shop.texts("recebida") == []
    assert await shop.queued() == []

    assert await sweep(Bell(shop.redis)) == 1
    await worker.async_run()
    assert await shop.texts("recebida") == ["oi"]


async def test_only_retry_is_retried(shop: Shop) -> None:
    """A job that raises anything else is over, whatever tries are left."""
    ran: list[str] = []

    async def job(ctx: dict[str, Any]) -> None:
        ran.append(ctx["job_id"])
        if ctx["job_id"] == "asks" and ran.count("asks") == 1:
            raise Retry
        if ctx["job_id"] == "fails":
            raise ValueError("of a bug")

    for name in ("fails", "asks"):
        await shop.redis.enqueue_job("job", _job_id=name)

    await burst(shop.redis, job, max_tries=5).async_run()

    assert sorted(ran) == ["asks", "asks", "fails"]


async def test_no_hook_runs_after_the_last_try(shop: Shop) -> None:
    """Whoever waits for a hook to learn of it waits for ever."""
    heard: list[str] = []

    async def job(ctx: dict[str, Any]) -> None:
        heard.append("job")
        raise Retry

    async def hook(ctx: dict[str, Any]) -> None:
        heard.append("hook")

    await shop.redis.enqueue_job("job", _job_id="a")
    worker = burst(shop.redis, job, max_tries=1, on_job_start=hook, on_job_end=hook,
                   after_job_end=hook)  # fmt: skip

    await worker.async_run()

    assert heard == ["hook", "job", "hook", "hook"]  # of the first try alone
    assert worker.jobs_failed == 1


async def test_a_killed_job_is_free_after_the_longest_timeout_and_10_s(shop: Shop) -> None:
    """arq's rule, which is minutes; ours are free when their lease has run out."""

    async def job(ctx: dict[str, Any]) -> None: ...

    plain = burst(shop.redis, job, job_timeout=120)
    ours = make_worker(shop.settings.worker, shop.redis, shop.jobs, Task.DRAIN)

    assert plain.in_progress_timeout_s == 130
    assert ours.in_progress_timeout_s == shop.settings.worker.lease_s
    await shop.push(event("oi"))
    ((ring, _),) = await shop.queued()
    await shop.redis.psetex(in_progress_key_prefix + ring, 200, b"1")  # as one that was killed
    ours.burst = True
    await asyncio.wait_for(ours.async_run(), 10)
    assert await shop.texts("recebida") == ["oi"]

"""An outage of Redis costs a worker the time that it lasts, however many jobs were under way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import pytest
import structlog
from arq.worker import Worker
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dev.chaos.proxy import HOST, Proxy
from worker.arq_queues import connect, make_worker
from worker.jobs import Jobs
from worker.process import _run_through_outages
from worker.queue.bell import Bell
from worker.queue.job import ArqJob
from worker.queue.keys import Task
from worker.queue.rings import RingListener
from worker.settings import WorkerSettings

_UNDER_WAY = 8
_AFTERWARDS = 6
_LIMIT_S = 20.0


@dataclass(slots=True)
class _Drainer:
    """Each job waits until it may end."""

    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    begun: set[int] = field(default_factory=set)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def drain(self, empresa_id: int, _job: ArqJob) -> None:
        async with self.news:
            self.begun.add(empresa_id)
            self.news.notify_all()
        await self.may_end.wait()

    async def has_begun(self, count: int) -> None:
        async with asyncio.timeout(_LIMIT_S), self.news:
            await self.news.wait_for(lambda: len(self.begun) >= count)


@asynccontextmanager
async def _working(redis_url: str, drainer: _Drainer) -> AsyncIterator[tuple[Worker, Proxy]]:
    """A worker's queue of drains that reaches Redis by a way that can be cut."""
    address = urlsplit(redis_url)
    target = (address.hostname or HOST, address.port or 6379)
    async with Proxy(lambda: [target]) as way:
        url = urlunsplit(address._replace(netloc=f":{address.password}@{HOST}:{way.port}"))
        settings = WorkerSettings(redis_url=SecretStr(url), grace_s=0)
        async with await connect(settings) as client:
            jobs = cast("Jobs", SimpleNamespace(drainer=drainer, rings=RingListener()))
            yield make_worker(settings, client, jobs, Task.DRAIN), way


async def test_1_the_loop_goes_on_as_soon_as_redis_is_back(redis_url: str, redis: Redis) -> None:
    """Eight jobs end while it is away. arq's loop would end once for each of them, a second apart,
    and look for jobs once a second meanwhile; an outage costs one pause."""
    drainer, bell = _Drainer(), Bell(redis)
    async with _working(redis_url, drainer) as (worker, way):
        running = asyncio.create_task(_run_through_outages(worker))
        for empresa_id in range(1, _UNDER_WAY + 1):
            await bell.ring(Task.DRAIN, empresa_id)
        await drainer.has_begun(_UNDER_WAY)

        with structlog.testing.capture_logs() as lines:
            way.reset()
            drainer.may_end.set()
            async with asyncio.timeout(_LIMIT_S):
                await asyncio.wait(worker.tasks.values())
            way.heal()
            for number in range(1, _AFTERWARDS + 1):
                await bell.ring(Task.DRAIN, 100 + number)
                await drainer.has_begun(_UNDER_WAY + number)

        worker.handle_sig_wait_for_completion(signal.SIGTERM)
        async with asyncio.timeout(_LIMIT_S):
            await asyncio.wait({running})
        outages = [line for line in lines if line["event"] == "redis does not answer"]
        assert len(outages) <= 3


async def test_a_stop_is_heard_though_its_cancel_was_lost(redis_url: str) -> None:
    """As Python 3.11 loses one when a command is written in the same moment: the loop ends."""
    async with _working(redis_url, _Drainer()) as (worker, _):
        running = asyncio.create_task(_run_through_outages(worker))
        await asyncio.sleep(0)
        worker.main_task = None

        worker.handle_sig_wait_for_completion(signal.SIGTERM)

        done, _ = await asyncio.wait({running}, timeout=_LIMIT_S)
        running.cancel()
        assert done == {running}


async def test_a_job_that_cannot_be_started_keeps_no_place(redis_url: str) -> None:
    """Else each outage might cost a place, until a worker that is alive takes no job any more."""
    async with _working(redis_url, _Drainer()) as (worker, way):
        way.reset()
        with pytest.raises(RedisError):
            await worker.start_jobs([b"drain_inbox:1:x"])
        way.heal()

        assert worker.job_counter == 0
        async with asyncio.timeout(_LIMIT_S):
            for _ in range(worker.max_jobs):
                await worker.sem.acquire()

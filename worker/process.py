"""The worker process: arq with its jobs, the sweep, the watch; and its end. See `helix worker`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.exceptions import OutOfMemoryError, RedisError

from worker.alarm.metrics import AlarmCollector
from worker.alarm.watch import Watcher, looks_of_a_worker, open_watcher, watch_for_ever
from worker.announce import forget_when_settled, hear_for_ever, ring_when_settled
from worker.arq_queues import JOBS, connect, make_worker
from worker.clock import DEALERS_ZONE
from worker.health import Health, health_server
from worker.jobs import Jobs, ProcessSettings, open_jobs
from worker.presence import Presence
from worker.queue.bell import Bell
from worker.queue.functions import Functions, InboxLimits, keep_registered
from worker.queue.keys import Task
from worker.queue.redis_clock import RedisClock
from worker.report import report_of
from worker.sweep import sweep_for_ever

log = structlog.get_logger()

_OUTAGE_PAUSE_S = 1.0
# After the grace time, which arq gives its jobs, everything ends within a second: what a cancelled
# job still brings to its end, then leases, then statements on the servers, then Redis.
_LAST_WORDS_S = 0.3
_GOODBYE_S = 0.1


async def run_worker(settings: ProcessSettings) -> None:
    """Runs until SIGTERM or SIGINT, then finishes or hands over its jobs within the grace time."""
    redis = await connect(settings.worker)
    try:
        async with open_jobs(settings, redis) as jobs, _open_watch(settings, redis, jobs) as watch:
            tenancy = jobs.tenancy
            presence = Presence(redis, lambda: report_of(tenancy.figures()).model_dump())
            await presence.show()  # whoever changes a password from here on waits for us
            await _register(redis, settings.worker.inbox_limits)
            tenancy.watch.settled = forget_when_settled(
                jobs.shelf.forget, ring_when_settled(Bell(redis), presence.acknowledge)
            )
            clock = RedisClock()
            await clock.rule(redis)
            workers = [make_worker(settings.worker, redis, jobs, task) for task in JOBS]
            _stop_together(workers)
            chores = [
                asyncio.create_task(
                    keep_registered(redis, settings.worker.inbox_limits), name="functions"
                ),
                asyncio.create_task(
                    sweep_for_ever(
                        redis,
                        Bell(redis),
                        jobs.active,
                        every_s=settings.worker.sweep_s,
                        work={
                            Task.DRAIN: jobs.drainer.drain,
                            Task.DELIVER: jobs.deliverer.deliver,
                        },
                    ),
                    name="sweep",
                ),
                asyncio.create_task(hear_for_ever(redis, tenancy.watch), name="hear"),
                asyncio.create_task(presence.show_for_ever(), name="presence"),
                asyncio.create_task(
                    watch_for_ever(redis, watch, every_s=settings.alarm.every_s), name="watch"
                ),
                asyncio.create_task(clock.keep(redis), name="clock"),
            ]
            log.info("worker ready", max_jobs=settings.worker.max_jobs,
                     max_deliveries=settings.worker.max_deliveries)  # fmt: skip
            health = Health(redis, tenancy, AlarmCollector())
            host, port = settings.worker.health_host, settings.worker.health_port
            try:
                async with health_server(health, host=host, port=port):
                    await _run_all(workers)
            except asyncio.CancelledError:
                log.info("worker stops")
            finally:
                for chore in chores:
                    chore.cancel()
                closing = asyncio.create_task(_close(workers, presence), name="close")
                await asyncio.wait({closing}, timeout=_LAST_WORDS_S)
    finally:
        with suppress(TimeoutError, RedisError, OSError):
            async with asyncio.timeout(_GOODBYE_S):
                await redis.aclose()


@asynccontextmanager
async def _open_watch(
    settings: ProcessSettings, redis: ArqRedis, jobs: Jobs
) -> AsyncIterator[Watcher]:
    looks = looks_of_a_worker(redis, jobs.tenancy, settings.alarm, zone=DEALERS_ZONE)
    async with open_watcher(redis, settings.alarm, looks) as watcher:
        yield watcher


async def _register(redis: ArqRedis, limits: InboxLimits) -> None:
    """A full Redis may not take a new release's library: work goes on without, and makes room."""
    try:
        await Functions(redis, limits).register()
    except OutOfMemoryError:
        log.warning("redis is full: functions are registered later")


def _stop_together(workers: Sequence[Worker]) -> None:
    """Each has taken the signals for itself; a process has one handler for each."""

    def stop(number: signal.Signals) -> None:
        for worker in workers:
            worker.handle_sig_wait_for_completion(number)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)


async def _run_all(workers: Sequence[Worker]) -> None:
    """Until all have stopped, each when its jobs have ended; what escapes one is a bug."""
    running = {asyncio.create_task(_run_through_outages(worker)) for worker in workers}
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled():
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _close(workers: Sequence[Worker], presence: Presence) -> None:
    """Waits for what cancelled jobs bring to their end; not longer than the caller does."""
    try:
        await presence.leave()
        for worker in workers:
            await worker.close()
    except (RedisError, OSError) as error:
        log.warning("redis did not hear the goodbye", error=str(error))


async def _run_through_outages(worker: Worker) -> None:
    """arq's loop ends when Redis does not answer; the process and its connections stay."""
    while worker.allow_pick_jobs:  # else told to stop meanwhile, with no loop to hear it
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("redis does not answer", error=str(error))
            await asyncio.sleep(_OUTAGE_PAUSE_S)
        else:
            return

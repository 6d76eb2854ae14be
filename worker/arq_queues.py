"""What each arq queue carries, and arq's worker for it. Called by `process`, tests and bench."""

from __future__ import annotations

from typing import Any

import orjson
from arq import func
from arq.connections import ArqRedis
from arq.cron import CronJob, cron
from arq.worker import Worker

from worker.clock import DEALERS_ZONE
from worker.jobs import Jobs
from worker.queue.job import ArqJob
from worker.queue.keys import QUEUE, Task, TaskKeys
from worker.queue.woken import WokenWorker
from worker.settings import WorkerSettings

_JOB_TIMEOUT_S = 120
_NIGHTLY_TIMEOUT_S = 6 * 3600
_NIGHT_HOUR, _NIGHT_MINUTE = 3, 17
_BACKUP_MINUTES = {4, 14, 24, 34, 44, 54}


async def drain_inbox(ctx: dict[str, Any], empresa_id: int) -> None:
    """The arq job `Task.DRAIN`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.drainer.drain(empresa_id, _arq_job(ctx))


async def deliver_replies(ctx: dict[str, Any], empresa_id: int) -> None:
    """The arq job `Task.DELIVER`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.deliverer.deliver(empresa_id, _arq_job(ctx))


async def fetch_media(ctx: dict[str, Any], empresa_id: int) -> None:
    """The arq job `Task.MEDIA`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.media.fetch(empresa_id, _arq_job(ctx))


async def remind_buyers(ctx: dict[str, Any], empresa_id: int) -> None:
    """The arq job `Task.REMIND`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.reminder.remind(empresa_id, _arq_job(ctx))


async def erase_old(ctx: dict[str, Any]) -> None:
    """The nightly arq job: see `worker.retention`."""
    jobs: Jobs = ctx["jobs"]
    # A running job that stays in the queue is its first there: all workers would look without end.
    await jobs.retention.redis.zrem(QUEUE, ctx["job_id"])
    await jobs.retention.run()


async def back_up(ctx: dict[str, Any]) -> None:
    """The arq job of the backups' rounds: see `worker.life.nightly`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.retention.redis.zrem(QUEUE, ctx["job_id"])  # as above
    await jobs.nightly.run()


JOBS = {
    Task.DRAIN: {
        Task.DRAIN: drain_inbox,
        Task.MEDIA: fetch_media,
        Task.REMIND: remind_buyers,
    },
    Task.DELIVER: {Task.DELIVER: deliver_replies},
}
"""What each arq queue carries, by the task that it is named for."""


def _arq_job(ctx: dict[str, Any]) -> ArqJob:
    return ArqJob(id=ctx["job_id"], due_ms=int(ctx["score"]))


async def connect(settings: WorkerSettings) -> ArqRedis:
    """Redis as arq wants it, with JSON in place of pickle: what lies there runs nowhere."""
    redis = ArqRedis(
        connection_pool=settings.redis(),
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    redis.auto_close_connection_pool = True  # or `aclose` would leave its connections open
    await redis.ping()
    return redis


def _by_the_clock() -> list[CronJob]:
    """By the dealers' clock, whichever worker comes first."""
    erase = cron(
        erase_old, name="erase_old", hour=_NIGHT_HOUR, minute=_NIGHT_MINUTE,
        timeout=_NIGHTLY_TIMEOUT_S,
    )  # fmt: skip
    backups = cron(back_up, name="back_up", minute=_BACKUP_MINUTES, timeout=_NIGHTLY_TIMEOUT_S)
    return [erase, backups]


def make_worker(settings: WorkerSettings, redis: ArqRedis, jobs: Jobs, task: Task) -> Worker:
    """arq's worker of one queue, with places of its own: what hangs in one holds up no other.

    The jobs see to their own repetition, so arq keeps no results and no tries.
    """
    worker = WokenWorker(
        rings=jobs.rings,
        functions=[
            func(job, name=name.value, keep_result=0, max_tries=1_000_000)
            for name, job in JOBS[task].items()
        ],
        cron_jobs=_by_the_clock() if task is Task.DRAIN else None,
        timezone=DEALERS_ZONE,
        queue_name=TaskKeys(0, task).queue,
        redis_pool=redis,
        max_jobs=settings.max_deliveries if task is Task.DELIVER else settings.max_jobs,
        job_timeout=_JOB_TIMEOUT_S,
        poll_delay=settings.poll_delay_s,
        job_completion_wait=int(settings.grace_s),
        health_check_interval=15,
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
        ctx={"jobs": jobs},
        log_results=False,
    )
    # A job of a killed worker may start again at once: its lease decides who works.
    worker.in_progress_timeout_s = settings.lease_s
    return worker

"""The worker process: arq with the four jobs, and the sweep. See `helix worker`."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import orjson
import structlog
from arq import func
from arq.connections import ArqRedis
from arq.worker import Worker
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from bot.lucas import decide
from bot.settings import LucasSettings
from gateway.adapters import ADAPTERS, outlets
from gateway.settings import GatewaySettings
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.announce import forget_when_settled, hear_for_ever, ring_when_settled
from worker.deliver.gate import Gate
from worker.deliver.job import Deliverer
from worker.deliver.results import Results
from worker.deliver.rows import Rows
from worker.deliver.sender import Sender
from worker.drain.job import Drainer
from worker.drain.marks import Marker
from worker.drain.shelf import Shelf
from worker.drain.sort import Sorter
from worker.drain.transaction import DrainTransaction
from worker.drain.turns import Decide, TurnTaker
from worker.health import Health, health_server
from worker.media.fetcher import Fetcher
from worker.media.job import MediaJob
from worker.media.settings import MediaSettings, TranscribeSettings
from worker.media.store import open_store
from worker.media.transcribe import Transcriber
from worker.presence import Presence
from worker.queue.alarm import Alarm
from worker.queue.bell import Bell
from worker.queue.dead_letters import DeadLetters
from worker.queue.functions import Functions, keep_registered
from worker.queue.ignored import Ignored
from worker.queue.inbox import Inbox
from worker.queue.job import ArqJob
from worker.queue.keys import Task, TaskKeys
from worker.queue.lease import LeaseDesk
from worker.queue.woken import WokenWorker
from worker.remind.job import Reminder
from worker.remind.writer import ReminderWriter
from worker.report import report_of
from worker.settings import WorkerSettings
from worker.sweep import ActiveEmpresas, sweep_for_ever

log = structlog.get_logger()

_DEALERS_ZONE = ZoneInfo("America/Sao_Paulo")
_JOB_TIMEOUT_S = 120
_OUTAGE_PAUSE_S = 1.0
# After the grace time, which arq gives its jobs, everything ends within a second: what a cancelled
# job still brings to its end, then leases, then statements on the servers, then Redis.
_LAST_WORDS_S = 0.3
_CUT_AFTER_S = 0.1
_KILLS_S = 0.3
_GOODBYE_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """All that a worker process is told."""

    worker: WorkerSettings
    tenancy: TenancySettings
    lucas: LucasSettings
    gateway: GatewaySettings
    media: MediaSettings = field(default_factory=MediaSettings)
    transcribe: TranscribeSettings = field(default_factory=TranscribeSettings)

    @classmethod
    def read(cls) -> ProcessSettings:
        """From the environment. Raises pydantic's ValidationError, which names what is wrong."""
        return cls(
            worker=WorkerSettings(),
            tenancy=TenancySettings(),
            lucas=LucasSettings(),
            gateway=GatewaySettings(),
            media=MediaSettings(),
            transcribe=TranscribeSettings(),
        )


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the arq functions call."""

    drainer: Drainer
    deliverer: Deliverer
    media: MediaJob
    reminder: Reminder
    active: ActiveEmpresas
    tenancy: Tenancy
    shelf: Shelf
    alarm: Alarm


@asynccontextmanager
async def open_jobs(
    settings: ProcessSettings, redis: ArqRedis, *, decide_turn: Decide = decide
) -> AsyncIterator[Jobs]:
    """Puts the rooms together; closes what it opened within the grace time."""
    worker, hearing = settings.worker, settings.transcribe
    async with AsyncExitStack() as stack:
        tenancy = await stack.enter_async_context(
            open_tenancy(settings.tenancy, grace_s=_CUT_AFTER_S, last_s=_KILLS_S)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        desk, bell = LeaseDesk(redis, life_s=worker.lease_s), Bell(redis)
        dead_letters = DeadLetters(redis)
        shelf = Shelf(ttl_s=settings.lucas.stock_ttl_s, clock=time.monotonic)
        marker = Marker(
            registry=tenancy.registry,
            session=session,
            adapters=ADAPTERS,
            switched_on=worker.mark_read,
        )
        stack.push_async_callback(marker.close)
        drainer = Drainer(
            desk=desk,
            bell=bell,
            dead_letters=dead_letters,
            sorter=Sorter(tenancy.registry, Ignored(redis)),
            transaction=DrainTransaction(
                tenancy=tenancy,
                turns=TurnTaker(decide_turn, shelf, zone=_DEALERS_ZONE),
                shelf=shelf,
                settings=worker,
                lucas=settings.lucas,
                hearing=timedelta(seconds=hearing.wait_s) if hearing.url else None,
                zone=_DEALERS_ZONE,
            ),
            marker=marker,
            settings=worker,
        )
        timeout_s = settings.gateway.send_timeout_s
        gate = Gate(redis, timeout_s=timeout_s)
        rows = Rows(tenancy=tenancy, dead_letters=dead_letters)
        results = Results(
            rows=rows,
            gate=gate,
            inbox=Inbox(redis),
            pause_after_human=timedelta(hours=worker.pause_after_human_h),
            unknown_wait=timedelta(seconds=worker.unknown_wait_s),
        )
        sender = Sender(
            tenancy=tenancy,
            session=session,
            adapters=outlets(redis),
            gate=gate,
            rows=rows,
            results=results,
            timeout_s=timeout_s,
        )
        deliverer = Deliverer(
            desk=desk,
            bell=bell,
            tenancy=tenancy,
            sender=sender,
            settings=worker,
            stock_ttl_s=settings.lucas.stock_ttl_s,
        )
        media = MediaJob(
            desk=desk,
            bell=bell,
            tenancy=tenancy,
            fetcher=Fetcher(
                registry=tenancy.registry,
                session=session,
                adapters=ADAPTERS,
                store=open_store(settings.media),
                limits=settings.media.limits,
                transcriber=Transcriber(session, hearing) if hearing.url else None,
            ),
            settings=settings.media,
            hearing=hearing,
        )
        reminder = Reminder(
            desk=desk, bell=bell, writer=ReminderWriter(tenancy=tenancy, zone=_DEALERS_ZONE)
        )
        active = tenancy.registry.active
        async with _listening(redis) as alarm:
            yield Jobs(drainer, deliverer, media, reminder, active, tenancy, shelf, alarm)


@asynccontextmanager
async def _listening(redis: ArqRedis) -> AsyncIterator[Alarm]:
    alarm = Alarm()
    listening = asyncio.create_task(alarm.listen_for_ever(redis), name="alarm")
    try:
        yield alarm
    finally:
        listening.cancel()
        await asyncio.wait({listening}, timeout=_GOODBYE_S)


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


_JOBS = {
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


async def run_worker(settings: ProcessSettings) -> None:
    """Runs until SIGTERM or SIGINT, then finishes or hands over its jobs within the grace time."""
    redis = await connect(settings.worker)
    try:
        async with open_jobs(settings, redis) as jobs:
            tenancy = jobs.tenancy
            presence = Presence(redis, lambda: report_of(tenancy.figures()).model_dump())
            await presence.show()  # whoever changes a password from here on waits for us
            await Functions(redis).register()
            tenancy.watch.settled = forget_when_settled(
                jobs.shelf.forget, ring_when_settled(Bell(redis), presence.acknowledge)
            )
            workers = [make_worker(settings.worker, redis, jobs, task) for task in _JOBS]
            _stop_together(workers)
            chores = [
                asyncio.create_task(keep_registered(redis), name="functions"),
                asyncio.create_task(
                    sweep_for_ever(
                        redis, Bell(redis), jobs.active, every_s=settings.worker.sweep_s
                    ),
                    name="sweep",
                ),
                asyncio.create_task(hear_for_ever(redis, tenancy.watch), name="hear"),
                asyncio.create_task(presence.show_for_ever(), name="presence"),
            ]
            log.info("worker ready", max_jobs=settings.worker.max_jobs,
                     max_deliveries=settings.worker.max_deliveries)  # fmt: skip
            health = Health(redis, tenancy)
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
    while True:
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("redis does not answer", error=str(error))
            if not worker.allow_pick_jobs:  # told to stop meanwhile, with no loop to hear it
                return
            await asyncio.sleep(_OUTAGE_PAUSE_S)
        else:
            return


async def connect(settings: WorkerSettings) -> ArqRedis:
    """Redis as arq wants it, with JSON in place of pickle: what lies there runs nowhere."""
    redis = ArqRedis(
        connection_pool=ConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            socket_timeout=settings.redis_timeout_s,
            socket_connect_timeout=settings.redis_timeout_s,
            socket_keepalive=True,
        ),
        job_serializer=orjson.dumps,
        job_deserializer=orjson.loads,
    )
    redis.auto_close_connection_pool = True  # or `aclose` would leave its connections open
    await redis.ping()
    return redis


def make_worker(settings: WorkerSettings, redis: ArqRedis, jobs: Jobs, task: Task) -> Worker:
    """arq's worker of one queue, with places of its own: what hangs in one holds up no other.

    The jobs see to their own repetition, so arq keeps no results and no tries.
    """
    worker = WokenWorker(
        alarm=jobs.alarm,
        functions=[
            func(job, name=name.value, keep_result=0, max_tries=1_000_000)
            for name, job in _JOBS[task].items()
        ],
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

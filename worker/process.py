"""The worker process: arq with the jobs drain and deliver, and the sweep. See `helix worker`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
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
from gateway.adapters import ADAPTERS
from gateway.settings import GatewaySettings
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.announce import hear_for_ever
from worker.deliver.job import Deliverer
from worker.deliver.sender import Sender
from worker.drain.job import Drainer
from worker.drain.shelf import Shelf
from worker.drain.sort import Sorter
from worker.drain.transaction import DrainTransaction
from worker.drain.turns import Decide, TurnTaker
from worker.health import Health, health_server
from worker.presence import Presence
from worker.queue.bell import Bell
from worker.queue.dead_letters import DeadLetters
from worker.queue.job import ArqJob
from worker.queue.keys import Task
from worker.queue.lease import LeaseDesk
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

    @classmethod
    def read(cls) -> ProcessSettings:
        """From the environment. Raises pydantic's ValidationError, which names what is wrong."""
        return cls(
            worker=WorkerSettings(),
            tenancy=TenancySettings(),
            lucas=LucasSettings(),
            gateway=GatewaySettings(),
        )


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the arq functions call."""

    drainer: Drainer
    deliverer: Deliverer
    active: ActiveEmpresas
    tenancy: Tenancy


@asynccontextmanager
async def open_jobs(
    settings: ProcessSettings, redis: ArqRedis, *, decide_turn: Decide = decide
) -> AsyncIterator[Jobs]:
    """Puts the rooms together; closes what it opened within the grace time."""
    worker = settings.worker
    async with AsyncExitStack() as stack:
        tenancy = await stack.enter_async_context(
            open_tenancy(settings.tenancy, grace_s=_CUT_AFTER_S, last_s=_KILLS_S)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        desk, bell = LeaseDesk(redis, life_s=worker.lease_s), Bell(redis)
        dead_letters = DeadLetters(redis)
        shelf = Shelf(ttl_s=settings.lucas.stock_ttl_s, clock=time.monotonic)
        drainer = Drainer(
            desk=desk,
            bell=bell,
            dead_letters=dead_letters,
            sorter=Sorter(tenancy.registry),
            transaction=DrainTransaction(
                tenancy=tenancy,
                turns=TurnTaker(decide_turn, shelf, zone=_DEALERS_ZONE),
                settings=worker,
                lucas=settings.lucas,
                zone=_DEALERS_ZONE,
            ),
            settings=worker,
        )
        sender = Sender(
            tenancy=tenancy,
            session=session,
            adapters=ADAPTERS,
            dead_letters=dead_letters,
            timeout_s=settings.gateway.send_timeout_s,
        )
        deliverer = Deliverer(
            desk=desk,
            bell=bell,
            tenancy=tenancy,
            sender=sender,
            settings=worker,
            stock_ttl_s=settings.lucas.stock_ttl_s,
        )
        yield Jobs(drainer, deliverer, tenancy.registry.active, tenancy)


async def drain_inbox(ctx: dict[str, Any], empresa_id: int) -> None:
    """The arq job `Task.DRAIN`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.drainer.drain(empresa_id, _arq_job(ctx))


async def deliver_replies(ctx: dict[str, Any], empresa_id: int) -> None:
    """The arq job `Task.DELIVER`."""
    jobs: Jobs = ctx["jobs"]
    await jobs.deliverer.deliver(empresa_id, _arq_job(ctx))


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
            tenancy.watch.settled = presence.acknowledge
            worker = make_worker(settings.worker, redis, jobs)
            chores = [
                asyncio.create_task(
                    sweep_for_ever(
                        redis, Bell(redis), jobs.active, every_s=settings.worker.sweep_s
                    ),
                    name="sweep",
                ),
                asyncio.create_task(hear_for_ever(redis, tenancy.watch), name="hear"),
                asyncio.create_task(presence.show_for_ever(), name="presence"),
            ]
            log.info("worker ready", max_jobs=settings.worker.max_jobs)
            health = Health(redis, tenancy)
            host, port = settings.worker.health_host, settings.worker.health_port
            try:
                async with health_server(health, host=host, port=port):
                    await _run_through_outages(worker)
            except asyncio.CancelledError:
                log.info("worker stops")
            finally:
                for chore in chores:
                    chore.cancel()
                closing = asyncio.create_task(_close(worker, presence), name="close")
                await asyncio.wait({closing}, timeout=_LAST_WORDS_S)
    finally:
        with suppress(TimeoutError, RedisError, OSError):
            async with asyncio.timeout(_GOODBYE_S):
                await redis.aclose()


async def _close(worker: Worker, presence: Presence) -> None:
    """Waits for what cancelled jobs bring to their end; not longer than the caller does."""
    try:
        await presence.leave()
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


def make_worker(settings: WorkerSettings, redis: ArqRedis, jobs: Jobs) -> Worker:
    """arq's worker. The jobs see to their own repetition, so arq keeps no results and no tries."""
    worker = Worker(
        functions=[
            func(drain_inbox, name=Task.DRAIN.value, keep_result=0, max_tries=1_000_000),
            func(deliver_replies, name=Task.DELIVER.value, keep_result=0, max_tries=1_000_000),
        ],
        redis_pool=redis,
        max_jobs=settings.max_jobs,
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

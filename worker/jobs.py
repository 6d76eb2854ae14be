"""Puts the rooms together into the jobs of a worker process. Called by `process` and by tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
from arq.connections import ArqRedis

from bot.lucas import decide
from bot.settings import LucasSettings
from gateway.adapters import ADAPTERS, outlets
from gateway.settings import GatewaySettings
from tenancy.life.settings import BackupSettings
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.alarm.heard import Heard
from worker.alarm.settings import AlarmSettings
from worker.clock import DEALERS_ZONE
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
from worker.lgpd.digests import DigestKeys
from worker.lgpd.erased import ErasedMessages
from worker.lgpd.settings import PrivacySettings
from worker.life.nightly import Nightly
from worker.media.fetcher import Fetcher
from worker.media.job import MediaJob
from worker.media.settings import MediaSettings, TranscribeSettings
from worker.media.store import open_store
from worker.media.transcribe import Transcriber
from worker.queue.bell import Bell
from worker.queue.dead_letters import DeadLetters
from worker.queue.ignored import Ignored
from worker.queue.inbox import Inbox
from worker.queue.lease import LeaseDesk
from worker.queue.rings import RingListener
from worker.remind.job import Reminder
from worker.remind.writer import ReminderWriter
from worker.retention import Retention
from worker.settings import WorkerSettings
from worker.sweep import ActiveEmpresas

# Of the second in which everything ends after the grace time, see `process`.
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
    alarm: AlarmSettings = field(default_factory=AlarmSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    backup: BackupSettings = field(default_factory=BackupSettings)

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
            alarm=AlarmSettings(),
            privacy=PrivacySettings(),
            backup=BackupSettings(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What the arq functions call."""

    drainer: Drainer
    deliverer: Deliverer
    media: MediaJob
    reminder: Reminder
    active: ActiveEmpresas
    tenancy: Tenancy
    shelf: Shelf
    rings: RingListener
    retention: Retention
    nightly: Nightly


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
        dead_letters, store = DeadLetters(redis), open_store(settings.media)
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
            registry=tenancy.registry,
            sorter=Sorter(tenancy.registry, Ignored(redis)),
            transaction=DrainTransaction(
                tenancy=tenancy,
                dead_letters=dead_letters,
                turns=TurnTaker(decide_turn, shelf, zone=DEALERS_ZONE),
                shelf=shelf,
                erased=ErasedMessages(DigestKeys(tenancy.central, tenancy.keyring)),
                settings=worker,
                lucas=settings.lucas,
                hearing=timedelta(seconds=hearing.wait_s) if hearing.url else None,
                zone=DEALERS_ZONE,
            ),
            marker=marker,
            heard=Heard(redis),
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
                store=store,
                limits=settings.media.limits,
                transcriber=Transcriber(session, hearing) if hearing.url else None,
            ),
            settings=settings.media,
            hearing=hearing,
        )
        reminder = Reminder(
            desk=desk,
            bell=bell,
            registry=tenancy.registry,
            writer=ReminderWriter(tenancy=tenancy, zone=DEALERS_ZONE),
        )
        active = tenancy.registry.active
        async with _listening(redis) as rings:
            retention = Retention(
                tenancy=tenancy, redis=redis, store=store, desk=desk, defaults=settings.privacy
            )
            nightly = Nightly(central=tenancy.central, settings=settings.backup)
            yield Jobs(
                drainer=drainer,
                deliverer=deliverer,
                media=media,
                reminder=reminder,
                active=active,
                tenancy=tenancy,
                shelf=shelf,
                rings=rings,
                retention=retention,
                nightly=nightly,
            )


@asynccontextmanager
async def _listening(redis: ArqRedis) -> AsyncIterator[RingListener]:
    rings = RingListener()
    listening = asyncio.create_task(rings.listen_for_ever(redis), name="rings")
    try:
        yield rings
    finally:
        listening.cancel()
        await asyncio.wait({listening}, timeout=_GOODBYE_S)

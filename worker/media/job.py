"""The arq job `fetch_media`: gets the files of an empresa's messages, and has audio heard.

Beside the conversation, never in its way: messages are stored and answered without their files. A
turn waits for what an audio says, and only for a time (see `worker.drain.hearing`).
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import structlog

from gateway.errors import MediaLater, MediaRefused
from schema.errors import ChannelRefused, HelixError
from schema.events import EventKind
from tenancy.start import Tenancy
from worker.clock import from_ms
from worker.media import rows
from worker.media.fetcher import Fetcher
from worker.media.rows import FileRow
from worker.media.settings import MediaSettings, TranscribeSettings
from worker.media.store import StoreUnavailable
from worker.pause import refuse_paused
from worker.queue.bell import Bell
from worker.queue.job import ArqJob, under_lease
from worker.queue.keys import Task
from worker.queue.lease import Lease, LeaseDesk

log = structlog.get_logger()

_SLICE_S = 5.0
_LONGEST_WAIT_S = 3600.0
_GIVE_WAY = timedelta(seconds=0.5)


class MediaJob:
    """Fetches files. One per process."""

    def __init__(
        self,
        *,
        desk: LeaseDesk,
        bell: Bell,
        tenancy: Tenancy,
        fetcher: Fetcher,
        settings: MediaSettings,
        hearing: TranscribeSettings,
    ) -> None:
        self._desk = desk
        self._bell = bell
        self._pools = tenancy.pools
        self._registry = tenancy.registry
        self._fetcher = fetcher
        self._settings = settings
        self._hearing = hearing
        self._running = 0

    async def fetch(self, empresa_id: int, job: ArqJob) -> None:
        """One job: works until nothing is due, or its time slice is over."""
        await under_lease(self._desk, Task.MEDIA, empresa_id, job, self._work)

    async def _work(self, lease: Lease) -> datetime | None:
        if self._running >= self._settings.jobs:
            # Slow gateways must not fill the worker's places: drain and delivery need them.
            return from_ms((await lease.look()).now_ms) + _GIVE_WAY
        self._running += 1
        try:
            return await self._rounds(lease)
        finally:
            self._running -= 1

    async def _rounds(self, lease: Lease) -> datetime | None:
        started, done = time.monotonic(), 0
        while True:
            await refuse_paused(self._registry, lease.empresa_id)
            now = from_ms((await lease.look()).now_ms)
            async with self._pools.connection(lease.empresa_id) as conn:
                found = await rows.due(conn, now=now, most=self._settings.per_empresa)
                next_at = await rows.next_at(conn)
            if not found:
                break
            if time.monotonic() - started > _SLICE_S:
                next_at = now
                break
            async with asyncio.TaskGroup() as files:
                for row in found:
                    files.create_task(self._step(lease, row, now), name=f"file-{row.id}")
            done += len(found)
        lease.succeeded()
        if done:
            log.info("media done", empresa_id=lease.empresa_id, steps=done,
                     ms=round((time.monotonic() - started) * 1000, 1))  # fmt: skip
        return next_at

    async def _step(self, lease: Lease, row: FileRow, now: datetime) -> None:
        """What is next for a file. Its own errors end here; those of the tenant go up."""
        try:
            if row.digest is None:
                await self._fetch(lease, row, now)
            else:
                await self._hear(lease, row, now)
        except MediaRefused as error:
            await self._settle(lease, row, now, error=str(error))
        except (MediaLater, ChannelRefused, StoreUnavailable, TimeoutError) as error:
            await self._later(lease, row, now, error)
        except HelixError:
            raise
        except Exception as error:  # a bug must not hold up the other files, nor repeat for ever
            log.exception("media failed", empresa_id=lease.empresa_id, mensagem_id=row.id)
            await self._later(lease, row, now, error)

    async def _fetch(self, lease: Lease, row: FileRow, now: datetime) -> None:
        kept = await self._fetcher.fetch(lease.empresa_id, row)
        to_hear = row.kind is EventKind.AUDIO and self._fetcher.transcriber and not row.has_text
        async with self._pools.connection(lease.empresa_id) as conn:
            await rows.keep(conn, row, kept, next_step=now if to_hear else None)
        log.info("media kept", empresa_id=lease.empresa_id, mensagem_id=row.id,
                 type=kept.mime_type, bytes=kept.size)  # fmt: skip

    async def _hear(self, lease: Lease, row: FileRow, now: datetime) -> None:
        if self._fetcher.transcriber is None:  # switched off since the file was fetched
            await self._settle(lease, row, now)
            return
        text = await self._fetcher.hear(self._fetcher.transcriber, row)
        await self._settle(lease, row, now, text=text)

    async def _settle(
        self,
        lease: Lease,
        row: FileRow,
        now: datetime,
        *,
        text: str | None = None,
        error: str | None = None,
    ) -> None:
        wait_s = self._hearing.wait_s if self._fetcher.transcriber is not None else None
        wait = None if wait_s is None else timedelta(seconds=wait_s)
        async with self._pools.transaction(lease.empresa_id) as conn:
            awaited = await rows.settle(conn, row, text=text, error=error, now=now, wait=wait)
        if awaited:
            await self._bell.ring(Task.DRAIN, lease.empresa_id)
        if error is not None:
            log.warning("media given up", empresa_id=lease.empresa_id, mensagem_id=row.id,
                        reason=error)  # fmt: skip

    async def _later(self, lease: Lease, row: FileRow, now: datetime, error: Exception) -> None:
        tries = self._settings.tries if row.digest is None else self._hearing.tries
        reason = str(error) or type(error).__name__
        if row.tries + 1 >= tries:
            await self._settle(lease, row, now, error=f"given up after {tries} tries: {reason}")
            return
        asked_s = getattr(error, "retry_after_s", None) or 0.0
        wait_s = min(_LONGEST_WAIT_S, max(asked_s, self._pause_s(row)))
        async with self._pools.connection(lease.empresa_id) as conn:
            await rows.put_back(conn, row, error=reason, at=now + timedelta(seconds=wait_s))
        log.info("media waits", empresa_id=lease.empresa_id, mensagem_id=row.id,
                 tries=row.tries + 1, reason=reason)  # fmt: skip

    def _pause_s(self, row: FileRow) -> float:
        """A turn may wait for an audio: that is tried again sooner."""
        base = 2.0 if row.kind is EventKind.AUDIO else 4.0
        return base ** min(row.tries + 1, 12)

"""The arq job `remind_buyers`: writes an empresa's reminders when they are due.

Rung by the drain when an appointment changes; between two reminders nobody looks. What that misses
(a lost ring, an appointment that a dealer's panel wrote) the sweep finds.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from tenancy.registry import Registry
from worker.clock import from_ms
from worker.pause import refuse_paused
from worker.queue.bell import Bell
from worker.queue.job import ArqJob, under_lease
from worker.queue.keys import Task
from worker.queue.lease import Lease, LeaseDesk
from worker.remind.writer import ReminderWriter

log = structlog.get_logger()


class Reminder:
    """Reminds buyers. One per process."""

    def __init__(
        self, *, desk: LeaseDesk, bell: Bell, registry: Registry, writer: ReminderWriter
    ) -> None:
        self._desk = desk
        self._bell = bell
        self._registry = registry
        self.writer = writer

    async def remind(self, empresa_id: int, job: ArqJob) -> None:
        """One job: writes what is due."""
        await under_lease(self._desk, Task.REMIND, empresa_id, job, self._work)

    async def _work(self, lease: Lease) -> datetime | None:
        await refuse_paused(self._registry, lease.empresa_id)
        now = from_ms((await lease.look()).now_ms)
        done = await self.writer.run(lease, now=now)
        if done.to_send:  # also what a worker wrote that died before it could ring
            await self._bell.ring(Task.DELIVER, lease.empresa_id)
        lease.succeeded()
        if done.written:
            log.info("reminders done", empresa_id=lease.empresa_id, written=done.written)
        return done.next_at

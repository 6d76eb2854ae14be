"""The arq job `deliver_replies`: sends the pending replies of an empresa through its gateways.

In order within a conversation, some conversations side by side. A reply that cannot go out now
holds up its own conversation only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from tenancy.start import Tenancy
from worker.clock import from_ms
from worker.deliver.anew import take_anew
from worker.deliver.outbox import OpenReply, Outbox
from worker.deliver.sender import Sender
from worker.fence import raise_fence
from worker.queue.bell import Bell
from worker.queue.job import under_lease
from worker.queue.keys import Task
from worker.queue.lease import Lease, LeaseDesk
from worker.settings import WorkerSettings

log = structlog.get_logger()

_READ_AT_ONCE = 500


@dataclass(slots=True)
class Tally:
    """What one delivery did, for its log line."""

    sent: int = 0
    held: int = 0
    anew: int = 0


class Deliverer:
    """Delivers replies. One per process."""

    def __init__(
        self,
        *,
        desk: LeaseDesk,
        bell: Bell,
        tenancy: Tenancy,
        sender: Sender,
        settings: WorkerSettings,
        stock_ttl_s: float,
    ) -> None:
        self._desk = desk
        self._bell = bell
        self._pools = tenancy.pools
        self._sender = sender
        self._settings = settings
        self._stock_ttl = timedelta(seconds=stock_ttl_s)

    async def deliver(self, empresa_id: int, *, job_id: str) -> None:
        """One job: sends until nothing is ready, or its time slice is over."""
        await under_lease(self._desk, Task.DELIVER, empresa_id, job_id=job_id, work=self._work)

    async def _work(self, lease: Lease) -> datetime | None:
        started, tally = time.monotonic(), Tally()
        async with self._pools.connection(lease.empresa_id) as conn:
            await raise_fence(conn, Task.DELIVER, lease.epoch)
        while True:
            now = from_ms((await lease.look()).now_ms)
            async with self._pools.connection(lease.empresa_id) as conn:
                outbox = Outbox(conn, lease.epoch)
                replies = await outbox.open_replies(most=_READ_AT_ONCE)
                ready, next_at = _by_conversation(replies, now)
                stale = await outbox.moved_facts([r for queue in ready for r in queue])
            if not ready:
                break
            if time.monotonic() - started > self._settings.slice_s:
                next_at = now
                break
            await self._round(lease, ready, stale, tally, now)
        await lease.succeeded()
        if tally.sent or tally.held or tally.anew:
            log.info("delivery done", empresa_id=lease.empresa_id, sent=tally.sent,
                     held=tally.held, anew=tally.anew,
                     ms=round((time.monotonic() - started) * 1000, 1))  # fmt: skip
        return next_at

    async def _round(
        self,
        lease: Lease,
        ready: Sequence[Sequence[OpenReply]],
        stale: set[int],
        tally: Tally,
        now: datetime,
    ) -> None:
        places = asyncio.Semaphore(self._settings.sends_per_empresa)
        async with asyncio.TaskGroup() as sends:
            for queue in ready:
                changed = [reply.id for reply in queue if reply.id in stale]
                if changed:
                    await self._anew(lease, queue[0].conversation_id, changed, tally, now)
                else:
                    sends.create_task(self._send_in_order(lease, queue, places, tally, now))

    async def _anew(
        self, lease: Lease, conversation_id: int, stale: Sequence[int], tally: Tally, now: datetime
    ) -> None:
        # By then no worker has the stock of before on its shelf.
        due_at = now + self._stock_ttl
        async with self._pools.transaction(lease.empresa_id) as conn:
            undone = await take_anew(conn, conversation_id, stale, due_at=due_at)
        if undone:
            await self._bell.ring(Task.DRAIN, lease.empresa_id)
        tally.anew += 1
        log.info("turn taken anew", empresa_id=lease.empresa_id, conversation_id=conversation_id,
                 whole=undone)  # fmt: skip

    async def _send_in_order(
        self,
        lease: Lease,
        queue: Sequence[OpenReply],
        places: asyncio.Semaphore,
        tally: Tally,
        now: datetime,
    ) -> None:
        async with places:
            for reply in queue:
                if not await self._sender.send(lease, reply, now=now):
                    tally.held += 1
                    return
                tally.sent += 1


def _by_conversation(
    replies: Sequence[OpenReply], now: datetime
) -> tuple[list[list[OpenReply]], datetime | None]:
    """The queues whose head may go now, and when the earliest of the others may."""
    queues: dict[int, list[OpenReply]] = {}
    for reply in replies:
        queues.setdefault(reply.conversation_id, []).append(reply)
    ready, next_at = [], None
    for queue in queues.values():
        not_before = queue[0].not_before
        if not_before is None or not_before <= now:
            ready.append(queue)
        elif next_at is None or not_before < next_at:
            next_at = not_before
    return ready, next_at

"""The arq job `deliver_replies`: sends the pending replies of an empresa through its gateways.

In order within a conversation, some conversations side by side. A reply that cannot go out now
holds up its own conversation only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from tenancy.start import Tenancy
from worker.clock import from_ms
from worker.deliver.anew import take_anew
from worker.deliver.outbox import OpenReply, Outbox
from worker.deliver.sender import Sender
from worker.pause import refuse_paused
from worker.queue.bell import Bell
from worker.queue.job import ArqJob, under_lease
from worker.queue.keys import Task
from worker.queue.lease import Lease, LeaseDesk
from worker.settings import WorkerSettings

log = structlog.get_logger()

_READ_AT_ONCE = 500
_LOOK_AGAIN = timedelta(seconds=30)


@dataclass(slots=True)
class Round:
    """One delivery as it goes on: its clock, and what it did."""

    slice_s: float
    started: float = field(default_factory=time.monotonic)
    looked: float = 0.0
    looked_at: datetime = field(default_factory=lambda: from_ms(0))
    sent: int = 0
    held: int = 0
    anew: int = 0
    channels: dict[int, datetime] = field(default_factory=dict)
    """Channels (canal_id) of which nothing goes out before then."""

    def look(self, now_ms: int) -> datetime:
        """Redis's time as of now."""
        self.looked, self.looked_at = time.monotonic(), from_ms(now_ms)
        return self.looked_at

    @property
    def now(self) -> datetime:
        """Redis's time, told by our own clock since the last look."""
        return self.looked_at + timedelta(seconds=time.monotonic() - self.looked)

    @property
    def is_over(self) -> bool:
        """Whether others should have their turn; not before something was done, or a dealer whose
        database is slow to open would come round for ever."""
        done = self.sent + self.held + self.anew
        return done > 0 and time.monotonic() - self.started > self.slice_s

    def holds(self, canal_id: int | None) -> bool:
        """Whether nothing of this channel goes out now."""
        until = None if canal_id is None else self.channels.get(canal_id)
        return until is not None and until > self.now

    @property
    def held_channels(self) -> dict[int, datetime]:
        """Those that wait now, and until when."""
        now = self.now
        return {canal_id: until for canal_id, until in self.channels.items() if until > now}


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
        self._registry = tenancy.registry
        self._sender = sender
        self._settings = settings
        self._stock_ttl = timedelta(seconds=stock_ttl_s)

    async def deliver(self, empresa_id: int, job: ArqJob) -> None:
        """One job: sends until nothing is ready, or its time slice is over."""
        await under_lease(self._desk, Task.DELIVER, empresa_id, job, self._work)

    async def _work(self, lease: Lease) -> datetime | None:
        await refuse_paused(self._registry, lease.empresa_id)
        round_ = Round(self._settings.slice_s)
        while True:
            now = round_.look((await lease.look(as_taken=True)).now_ms)
            held = round_.held_channels
            async with self._pools.connection(lease.empresa_id) as conn:
                outbox = Outbox(conn, lease.epoch)
                replies, waits_until = await outbox.look(
                    now=now, most=_READ_AT_ONCE, held=held, raise_fence=not lease.fence_raised
                )
                stale = await outbox.moved_facts(replies)
            lease.fence_raised = True
            next_at = _first(waits_until, held, now=now)
            if not replies:
                break
            if round_.is_over:
                next_at = now
                break
            sent = round_.sent
            await self._go_round(lease, replies, stale, round_)
            if round_.sent - sent == len(replies) < _READ_AT_ONCE:
                break  # that was all: who has stored more since has rung
        lease.succeeded()
        if round_.sent or round_.held or round_.anew:
            log.info("delivery done", empresa_id=lease.empresa_id, sent=round_.sent,
                     held=round_.held, anew=round_.anew,
                     ms=round((time.monotonic() - round_.started) * 1000, 1))  # fmt: skip
        return next_at

    async def _go_round(
        self, lease: Lease, replies: Sequence[OpenReply], stale: set[int], round_: Round
    ) -> None:
        """Each conversation ends by itself: a failure of one cuts no other off in mid-send."""
        queues: dict[int, list[OpenReply]] = {}
        for reply in replies:
            queues.setdefault(reply.conversation_id, []).append(reply)
        places = asyncio.Semaphore(self._settings.sends_per_empresa)
        errors: list[Exception] = []

        async def serve(queue: Sequence[OpenReply]) -> None:
            try:
                await self._serve(lease, queue, stale, round_, places)
            except Exception as error:  # noqa: BLE001 - raised below, when all have ended
                errors.append(error)

        async with asyncio.TaskGroup() as conversations:
            for queue in queues.values():
                conversations.create_task(serve(queue))
        if errors:
            raise errors[0]

    async def _serve(
        self,
        lease: Lease,
        queue: Sequence[OpenReply],
        stale: set[int],
        round_: Round,
        places: asyncio.Semaphore,
    ) -> None:
        """A place is taken for one reply at a time: who has many does not keep others waiting."""
        changed = [reply.id for reply in queue if reply.id in stale]
        if changed:
            await self._anew(lease, queue, changed, round_)
            return
        for reply in queue:
            async with places:
                if round_.is_over or round_.holds(reply.canal_id):
                    return
                await refuse_paused(self._registry, lease.empresa_id)
                step = await self._sender.send(lease, reply, now=round_.now)
            if step.channel_until is not None and reply.canal_id is not None:
                round_.channels[reply.canal_id] = step.channel_until
            if step.stale:
                await self._anew(lease, [reply], [reply.id], round_)
            if not step.go_on:
                round_.held += 1
                return
            round_.sent += 1

    async def _anew(
        self, lease: Lease, queue: Sequence[OpenReply], stale: Sequence[int], round_: Round
    ) -> None:
        for reply in queue:
            if not await self._sender.recall(lease, reply, now=round_.now):
                round_.held += 1  # the buyer may get it: no second answer beside it
                return
        conversation_id = queue[0].conversation_id
        # By then no worker has the stock of before on its shelf.
        due_at = round_.now + self._stock_ttl
        async with self._pools.transaction(lease.empresa_id) as conn:
            tasks = await take_anew(conn, conversation_id, stale, epoch=lease.epoch, due_at=due_at)
            for task in sorted(tasks):  # within: whom this wakes waits for our commit
                await self._bell.ring(task, lease.empresa_id)
        round_.anew += 1
        log.info("turn taken anew", empresa_id=lease.empresa_id, conversation_id=conversation_id,
                 whole=Task.DRAIN in tasks)  # fmt: skip


def _first(
    waits_until: datetime | None, held: Mapping[int, datetime], *, now: datetime
) -> datetime | None:
    """When to look again: at the first reply or channel that may go then. A held channel is asked
    about now and then, for a person may mend it meanwhile."""
    again = [min(until, now + _LOOK_AGAIN) for until in held.values()]
    times = [*again, *([] if waits_until is None else [waits_until])]
    return min(times, default=None)

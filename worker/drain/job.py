"""The arq job `drain_inbox`: from an empresa's inbox into its database, and turns that are due.

Works in passes of one transaction each. Only after its commit do the entries leave the inbox.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from schema.errors import UnknownEmpresa
from tenancy.registry import Registry
from worker.alarm.heard import Heard
from worker.clock import from_ms, to_ms
from worker.drain.manners import Manners
from worker.drain.marks import Marker
from worker.drain.rescue import Rescue, is_about_what_is_stored
from worker.drain.sort import Sorted, Sorter
from worker.drain.transaction import Done, DrainTransaction
from worker.pause import refuse_paused
from worker.queue.bell import Bell
from worker.queue.dead_letters import DeadLetters
from worker.queue.inbox import read_entry
from worker.queue.job import ArqJob, under_lease
from worker.queue.keys import Task
from worker.queue.lease import Lease, LeaseDesk, Look, StreamEntry
from worker.settings import WorkerSettings

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    """What one drain did, for its log line and for what comes next."""

    passes: int = 0
    events: int = 0
    turns: int = 0
    replies: int = 0
    next_due: datetime | None = None
    to_send: bool = False
    to_fetch: bool = False
    to_remind: bool = False

    @property
    def rings(self) -> list[Task]:
        """Who goes on with what was done."""
        wanted = {
            Task.DELIVER: self.to_send,
            Task.MEDIA: self.to_fetch,
            Task.REMIND: self.to_remind,
        }
        return [task for task, is_wanted in wanted.items() if is_wanted]

    def add(self, done: Done) -> None:
        """One more transaction."""
        self.events += done.events
        self.turns += done.turns
        self.replies += done.replies
        self.next_due, self.to_send = done.next_due, done.to_send
        self.to_fetch = done.to_fetch
        self.to_remind |= done.agenda_changed


class Drainer:
    """Drains inboxes. One per process; holds no state of an empresa but cached stocks."""

    def __init__(
        self,
        *,
        desk: LeaseDesk,
        bell: Bell,
        dead_letters: DeadLetters,
        registry: Registry,
        sorter: Sorter,
        transaction: DrainTransaction,
        marker: Marker,
        heard: Heard,
        settings: WorkerSettings,
    ) -> None:
        self._desk = desk
        self._bell = bell
        self._dead_letters = dead_letters
        self._registry = registry
        self._sorter = sorter
        self._transaction = transaction
        self._marker = marker
        self._heard = heard
        self._rescue = Rescue(transaction, dead_letters)
        self._settings = settings
        self._manners = Manners(batch=settings.batch, clock=time.monotonic)

    async def drain(self, empresa_id: int, job: ArqJob) -> None:
        """One job: works until the inbox is empty and nobody is due, or its time slice is over."""
        most = self._manners.most(empresa_id)
        await under_lease(self._desk, Task.DRAIN, empresa_id, job, self._work, most=most)

    async def _work(self, lease: Lease) -> datetime | None:
        started, tally = time.monotonic(), Tally()
        done: StreamEntry | None = None
        while True:
            most = self._manners.most(lease.empresa_id)
            look = await self._look(lease, tally, done, most)
            if look.left:
                break
            if tally.passes and time.monotonic() - started > self._settings.slice_s:
                tally.next_due = from_ms(look.now_ms)
                lease.succeeded()
                for task in tally.rings:
                    await self._bell.ring(task, lease.empresa_id)
                break
            began, backlog = time.monotonic(), len(look.entries) >= most
            await self._pass(lease, look, tally, more_waits=backlog)
            if look.entries:
                done = look.entries[-1]
            self._manners.note(lease.empresa_id, events=len(look.entries), has_backlog=backlog)
            if backlog:
                rest_s = self._manners.rest_s(lease.empresa_id, time.monotonic() - began)
                await asyncio.sleep(rest_s)
        if tally.events or tally.turns:
            log.info("drain done", empresa_id=lease.empresa_id, events=tally.events,
                     turns=tally.turns, replies=tally.replies,
                     ms=round((time.monotonic() - started) * 1000, 1))  # fmt: skip
        return tally.next_due

    async def _look(self, lease: Lease, tally: Tally, done: StreamEntry | None, most: int) -> Look:
        """The first look is for work; each one after a pass also ends the drain."""
        if not tally.passes:
            return await lease.look(most=most, as_taken=True)
        next_at_ms = None if tally.next_due is None else to_ms(tally.next_due)
        return await lease.look_or_leave(
            done=done, most=most, next_at_ms=next_at_ms, rings=tally.rings
        )

    async def _pass(self, lease: Lease, look: Look, tally: Tally, *, more_waits: bool) -> None:
        await refuse_paused(self._registry, lease.empresa_id)
        now = from_ms(look.now_ms)
        read = [read_entry(entry) for entry in look.entries]
        found = await self._sorter.sort(lease.empresa_id, read)
        done: Iterable[Done]
        try:
            done = [
                await self._transaction.run(lease, found.arrivals, now=now, more_waits=more_waits)
            ]
        except UnknownEmpresa as error:  # nobody's inbox: kept for whoever knows whose it should be
            found, done = Sorted([], [(entry, str(error)) for entry in read]), ()
        except Exception as error:
            if not is_about_what_is_stored(error):
                raise
            done = await self._rescue.one_by_one(lease, found.arrivals, error, now=now)
        for one in done:
            tally.add(one)
            self._marker.show(lease.empresa_id, one.marks)
        for entry, reason in found.refused:
            await self._dead_letters.keep_event(
                lease.empresa_id,
                entry.raw,
                at_ms=entry.arrived_ms,
                origin=entry.origin,
                entry_id=entry.id,
                error=reason,
            )
        await self._heard.note({a.canal_id: a.arrived_ms for a in found.arrivals})
        tally.passes += 1

"""The arq job `drain_inbox`: from an empresa's inbox into its database, and turns that are due.

Each pass is one transaction: what is new is stored, due conversations get their turn, replies and
states are written. Only after its commit do the entries leave the inbox.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.settings import LucasSettings
from schema.errors import (
    CommitUnknown,
    HelixError,
    NotConfigured,
    NotMigrated,
    SecretUnreadable,
    TenantRefused,
    Transient,
    TryAgain,
    UnknownEmpresa,
    WrongTenant,
)
from tenancy.lease import TenantConnection
from tenancy.registry import TenantConfig
from tenancy.start import Tenancy
from worker.clock import from_ms, stored
from worker.drain import conversations, messages
from worker.drain.conversations import Book, Conversation
from worker.drain.intake import BOT_OFF, Arrival, IntakeRules, silent, take_in
from worker.drain.sort import Sorter
from worker.drain.turns import FailedTurn, TurnTaker
from worker.fence import pass_fence, raise_fence
from worker.queue.bell import Bell
from worker.queue.dead_letters import DeadLetters
from worker.queue.inbox import below, read_entry
from worker.queue.job import under_lease
from worker.queue.keys import Task
from worker.queue.lease import Lease, LeaseDesk, StreamEntry
from worker.settings import WorkerSettings

log = structlog.get_logger()

_WHAT_IS_LEFT = """
    SELECT (SELECT MIN(responder_em) FROM conversations WHERE responder_em IS NOT NULL),
           EXISTS (SELECT 1 FROM mensagens WHERE status = 'pendente')
"""
_ABOUT_THE_TENANT = (
    UnknownEmpresa, NotConfigured, TenantRefused, WrongTenant, NotMigrated, SecretUnreadable,
)  # fmt: skip
_REPEATS = 3


@dataclass(slots=True)
class Tally:
    """What one drain did, for its log line."""

    events: int = 0
    turns: int = 0
    replies: int = 0
    next_due: datetime | None = None
    to_send: bool = False


class Drainer:
    """Drains inboxes. One per process; holds no state of an empresa but cached stocks."""

    def __init__(
        self,
        *,
        desk: LeaseDesk,
        bell: Bell,
        dead_letters: DeadLetters,
        tenancy: Tenancy,
        turns: TurnTaker,
        settings: WorkerSettings,
        lucas: LucasSettings,
    ) -> None:
        self._desk = desk
        self._bell = bell
        self._dead_letters = dead_letters
        self._tenancy = tenancy
        self._sorter = Sorter(tenancy.registry)
        self._turns = turns
        self._settings = settings
        self._lucas = lucas

    async def drain(self, empresa_id: int, *, job_id: str) -> None:
        """One job: works until the inbox is empty and nobody is due, or its time slice is over."""
        await under_lease(self._desk, Task.DRAIN, empresa_id, job_id=job_id, work=self._work)

    async def _work(self, lease: Lease) -> datetime | None:
        started, tally = time.monotonic(), Tally()
        drop_below, passed = "", False
        while True:
            look = await lease.look(drop_below=drop_below, most=self._settings.batch)
            now = from_ms(look.now_ms)
            waiting = tally.next_due is not None and tally.next_due <= now
            if passed and not look.entries and not waiting:
                break
            if passed and time.monotonic() - started > self._settings.slice_s:
                tally.next_due = now
                break
            await self._pass(lease, look.entries, tally, now=now, first=not passed)
            passed = True
            if look.entries:
                drop_below = below(look.entries[-1][0].decode())
        await lease.succeeded()
        if tally.to_send:
            await self._bell.ring(Task.DELIVER, lease.empresa_id)
        if tally.events or tally.turns:
            log.info("drain done", empresa_id=lease.empresa_id, events=tally.events,
                     turns=tally.turns, replies=tally.replies,
                     ms=round((time.monotonic() - started) * 1000, 1))  # fmt: skip
        return tally.next_due

    async def _pass(
        self,
        lease: Lease,
        entries: Sequence[StreamEntry],
        tally: Tally,
        *,
        now: datetime,
        first: bool,
    ) -> None:
        """One transaction. An event that cannot be stored is found by storing them one by one."""
        read = [read_entry(entry) for entry in entries]
        found = await self._sorter.sort(lease.empresa_id, read)
        await self._store(lease, found.arrivals, tally, now=now, first=first)
        for entry, reason in found.refused:  # only now: what is repeated must not be kept twice
            await self._dead_letters.keep_event(
                lease.empresa_id, entry.raw, at_ms=entry.arrived_ms, error=reason
            )

    async def _store(
        self,
        lease: Lease,
        arrivals: Sequence[Arrival],
        tally: Tally,
        *,
        now: datetime,
        first: bool,
    ) -> None:
        try:
            await self._commit(lease, arrivals, tally, now=now, first=first)
        except (Transient, *_ABOUT_THE_TENANT):
            raise
        except Exception as error:  # an event that does not fit, or a bug that it brings to light
            if not arrivals:
                raise
            log.warning("batch failed, one by one", empresa_id=lease.empresa_id,
                        events=len(arrivals), error=str(error))  # fmt: skip
            for arrival in arrivals:
                await self._one(lease, arrival, tally, now=now, first=first)

    async def _one(
        self, lease: Lease, arrival: Arrival, tally: Tally, *, now: datetime, first: bool
    ) -> None:
        try:
            await self._commit(lease, [arrival], tally, now=now, first=first)
        except (Transient, *_ABOUT_THE_TENANT):
            raise
        except Exception as error:  # it does not block the others: whole, with its error
            if not isinstance(error, HelixError):
                log.exception("event failed", empresa_id=lease.empresa_id,
                              message_id=arrival.event.message_id)  # fmt: skip
            await self._dead_letters.keep_event(
                lease.empresa_id,
                arrival.event.model_dump_json(exclude_defaults=True).encode(),
                at_ms=arrival.arrived_ms,
                error=f"{type(error).__name__}: {error}",
            )

    async def _commit(
        self,
        lease: Lease,
        arrivals: Sequence[Arrival],
        tally: Tally,
        *,
        now: datetime,
        first: bool,
    ) -> None:
        """The transaction, repeated whole when a lock or a lost answer was in the way."""
        dealer = await self._tenancy.registry.tenant(lease.empresa_id)
        for repeats_left in reversed(range(_REPEATS)):
            try:
                failed = await self._transaction(lease, arrivals, dealer, tally, now, first)
                break
            except (TryAgain, CommitUnknown):
                if not repeats_left:
                    raise
        for turn in failed:
            await self._dead_letters.keep_turn(
                lease.empresa_id, turn.conversation_id, error=turn.error
            )

    async def _transaction(
        self,
        lease: Lease,
        arrivals: Sequence[Arrival],
        dealer: TenantConfig,
        tally: Tally,
        now: datetime,
        first: bool,
    ) -> tuple[FailedTurn, ...]:
        pools = self._tenancy.pools
        async with pools.transaction(lease.empresa_id) as conn:
            if first:
                await raise_fence(conn, Task.DRAIN, lease.epoch)
            await pass_fence(conn, Task.DRAIN, lease.epoch)
            book = (
                await take_in(conn, arrivals, self._rules(dealer), now=now) if arrivals else Book()
            )
            due = await self._due(conn, book, dealer, now)
            taken = await self._turns.take(conn, due, dealer, now=now)
            changed = {c.id: c for c in (*book.by_id.values(), *due)}
            await conversations.save(conn, changed.values())
            left = await conn.fetch_one(_WHAT_IS_LEFT)
        if left is not None:
            tally.next_due, tally.to_send = stored(left[0]), bool(left[1])
        tally.events += len(arrivals)
        tally.turns += taken.turns
        tally.replies += taken.replies
        return taken.failed

    async def _due(
        self, conn: TenantConnection, book: Book, dealer: TenantConfig, now: datetime
    ) -> list[Conversation]:
        """Whose turn it is: by what this batch brought, else by what the database says."""
        due = [
            c for c in book.by_id.values() if c.responder_em is not None and c.responder_em <= now
        ]
        waiting = await conversations.due(conn, now=now, most=self._settings.batch)
        due += [c for c in waiting if c.id not in book.by_id]
        if dealer.bot_ativo:
            return due
        for conversation in due:  # switched off since the message came: a person answers
            turn = conversation.take_turn_number()
            await messages.explain(conn, conversation.id, turn, silent(BOT_OFF))
            book.by_id[conversation.id] = conversation
        return []

    def _rules(self, dealer: TenantConfig) -> IntakeRules:
        return IntakeRules(
            dealer=dealer,
            lucas=self._lucas,
            pause_after_human=timedelta(hours=self._settings.pause_after_human_h),
        )

"""One transaction of a drain: what is new is stored, due conversations get their turn.

Called by `worker.drain.job`, and by `worker.drain.rescue` when a whole batch does not go through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.settings import LucasSettings
from schema.errors import CommitUnknown, TryAgain
from schema.events import EventKind
from tenancy.lease import TenantConnection
from tenancy.registry import TenantConfig
from tenancy.start import Tenancy
from worker.clock import stored
from worker.drain import conversations, messages
from worker.drain.arrival import Arrival, IntakeRules
from worker.drain.conversations import Book, Conversation
from worker.drain.hearing import hold_back
from worker.drain.intake import take_in
from worker.drain.late import leave_late
from worker.drain.marks import Mark, marks_of
from worker.drain.pace import in_pace
from worker.drain.shelf import Shelf
from worker.drain.silence import BOT_OFF, silent
from worker.drain.turns import FailedTurn, Taken, TurnTaker, give_up
from worker.drain.undelivered import Undelivered, call_a_person
from worker.fence import pass_fence, raise_and_ask
from worker.lgpd.erased import ANY_ERASED, ErasedMessages
from worker.queue.causes import NOT_DELIVERED
from worker.queue.dead_letters import DeadLetters
from worker.queue.keys import Task
from worker.queue.lease import Lease
from worker.settings import WorkerSettings

_WHAT_IS_LEFT = """
    SELECT (SELECT MIN(responder_em) FROM conversations WHERE responder_em IS NOT NULL),
           EXISTS (SELECT 1 FROM mensagens WHERE status IN ('pendente', 'enviando')),
           EXISTS (SELECT 1 FROM mensagens WHERE midia_em <= %(soon)s)
"""
_SIGNS = frozenset({EventKind.HUMAN_ECHO, EventKind.EDITED, EventKind.REVOKED})
"""Kinds that may be a person's sign, after which Lucas is silent for a while."""
_REPEATS = 3
_SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was committed, and what is left to do."""

    events: int
    turns: int
    replies: int
    next_due: datetime | None
    to_send: bool
    to_fetch: bool
    """Files of buyers are waiting to be fetched."""
    marks: tuple[Mark, ...]
    """What buyers may be shown: that they are read."""
    agenda_changed: bool = False
    """Appointments are others than before: so are their reminders."""


class DrainTransaction:
    """Runs for any empresa under its lease. One per process."""

    def __init__(
        self,
        *,
        tenancy: Tenancy,
        dead_letters: DeadLetters,
        turns: TurnTaker,
        shelf: Shelf,
        erased: ErasedMessages,
        settings: WorkerSettings,
        lucas: LucasSettings,
        hearing: timedelta | None = None,
        zone: ZoneInfo,
    ) -> None:
        """`hearing`: how long a turn waits for what an audio says; None: nobody hears it."""
        self._tenancy = tenancy
        self._dead_letters = dead_letters
        self._turns = turns
        self._shelf = shelf
        self._erased = erased
        self._lucas = lucas
        self._hearing = hearing
        self._zone = zone
        self._most_turns = settings.batch
        self._pause_after_human = timedelta(hours=settings.pause_after_human_h)

    async def run(
        self,
        lease: Lease,
        arrivals: Sequence[Arrival],
        *,
        now: datetime,
        most_turns: int | None = None,
        give_up_for: Exception | None = None,
        more_waits: bool = False,
    ) -> Done:
        """Repeated whole when a lock or a lost answer was in the way.

        `most_turns`: 0 for none, None for as many as one batch has. With `give_up_for`, the first
        turn that is due is not taken but given up, with that reason. `more_waits`: the inbox holds
        more; when this batch is part of a backlog, nobody is answered before it is all stored.
        """
        dealer = await self._tenancy.registry.tenant(lease.empresa_id)
        most = self._most_turns if most_turns is None else most_turns
        rules = self._rules(dealer)
        if more_waits and any(rules.is_backlog(arrival, now=now) for arrival in arrivals):
            most = 0
        for repeats_left in reversed(range(_REPEATS)):
            try:
                return await self._once(lease, arrivals, dealer, now, most, give_up_for)
            except (TryAgain, CommitUnknown):
                if not repeats_left:
                    raise
        raise AssertionError("the last repetition returns or raises")

    async def _once(
        self,
        lease: Lease,
        arrivals: Sequence[Arrival],
        dealer: TenantConfig,
        now: datetime,
        most: int,
        give_up_for: Exception | None,
    ) -> Done:
        async with self._tenancy.pools.transaction(lease.empresa_id) as conn:
            await _fenced(conn, lease)
            if arrivals and lease.has_erased:
                arrivals = await self._erased.without(conn, arrivals)
            book = await self._take_in(conn, arrivals, dealer, now)
            marks = marks_of(book, arrivals)
            undelivered = await call_a_person(conn, book, book.failed_sends, now=now)
            ready = await self._due(conn, book, now, most) if most else []
            held = await hold_back(conn, ready, now=now, wait=self._hearing)
            due = [conversation for conversation in ready if conversation.id not in held]
            if dealer.bot_ativo:
                due = await leave_late(conn, book, due, too_old_h=self._lucas.too_old_h, now=now)
                due = in_pace(due, per_min=self._lucas.turns_per_min, now=now)
            if give_up_for is not None:
                taken = Taken(turns=len(due))
                for conversation in due:
                    await give_up(conn, conversation, taken, give_up_for)
            elif dealer.bot_ativo:
                taken = await self._turns.take(conn, due, dealer, now=now)
            else:
                taken = await _leave_to_a_person(conn, due)
            conversations.save_later(conn, _changed(book, ready))
            left = await conn.fetch_all(_WHAT_IS_LEFT, {"soon": now + _SOON})
            await self._keep_letters(conn.empresa_id, taken.failed, book.late, undelivered)
        lease.fence_raised = True
        return Done(
            events=len(arrivals),
            turns=taken.turns,
            replies=taken.replies,
            next_due=stored(left[0][0]),
            to_send=bool(left[0][1]),
            to_fetch=bool(left[0][2]),
            marks=marks,
            agenda_changed=book.agenda_changed or taken.agenda_changed,
        )

    async def _keep_letters(
        self,
        empresa_id: int,
        failed: Sequence[FailedTurn],
        late: Mapping[int, int],
        undelivered: Sequence[Undelivered],
    ) -> None:
        """Before the commit: who dies between the two leaves a letter too many, which a replay
        finds settled, and never a row that no list shows."""
        for turn in failed:
            await self._dead_letters.keep_turn(
                empresa_id,
                turn.conversation_id,
                turn=turn.turn,
                error=turn.error,
                cause=turn.cause,
            )
        for conversation_id, since_ms in late.items():
            await self._dead_letters.keep_late(empresa_id, conversation_id, since_ms=since_ms)
        for reply in undelivered:
            await self._dead_letters.keep_reply(
                empresa_id, reply.mensagem_id, error=reply.error, cause=NOT_DELIVERED
            )

    async def _take_in(
        self,
        conn: TenantConnection,
        arrivals: Sequence[Arrival],
        dealer: TenantConfig,
        now: datetime,
    ) -> Book:
        if not arrivals:
            return Book()
        rules = self._rules(dealer)
        if any(arrival.event.kind in _SIGNS for arrival in arrivals):
            rules = await self._of_dealer(conn, rules)
        return await take_in(conn, arrivals, rules, now=now)

    async def _of_dealer(self, conn: TenantConnection, rules: IntakeRules) -> IntakeRules:
        """With his own settings of how long a person's word holds, his zone and his holidays."""
        profile = (await self._shelf.of(conn)).profile
        own = profile.volta_apos_h
        pause = rules.pause_after_human if own is None else timedelta(hours=own)
        zone = profile.zone(rules.zone)
        return replace(rules, pause_after_human=pause, zone=zone, profile=profile)

    def _rules(self, dealer: TenantConfig) -> IntakeRules:
        return IntakeRules(
            dealer=dealer,
            lucas=self._lucas,
            pause_after_human=self._pause_after_human,
            zone=self._zone,
        )

    async def _due(
        self, conn: TenantConnection, book: Book, now: datetime, most: int
    ) -> list[Conversation]:
        """Whose turn it is: by what this batch brought, else by what the database says."""
        brought = (c for c in book.by_id.values() if c.responder_em and c.responder_em <= now)
        waiting = await conversations.due(conn, now=now, most=most) if book.others_due else []
        return [*brought, *(c for c in waiting if c.id not in book.by_id)]


async def _fenced(conn: TenantConnection, lease: Lease) -> None:
    """Passes the fence; a lease's first transaction raises it and asks what holds for its length.
    Raises FenceAhead."""
    if not lease.fence_raised:
        rose, ((row,),) = await raise_and_ask(conn, Task.DRAIN, lease.epoch, (ANY_ERASED, ()))
        lease.has_erased = bool(row[0])
        if rose:
            return
    await pass_fence(conn, Task.DRAIN, lease.epoch)


async def _leave_to_a_person(conn: TenantConnection, due: Sequence[Conversation]) -> Taken:
    """The dealer switched Lucas off since these messages came: the rows say why nobody answers."""
    for conversation in due:
        turn = conversation.take_turn_number()
        await messages.explain(conn, conversation.id, turn, silent(BOT_OFF))
    return Taken()


def _changed(book: Book, due: Iterable[Conversation]) -> Iterable[Conversation]:
    return {c.id: c for c in (*book.by_id.values(), *due)}.values()

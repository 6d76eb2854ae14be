"""Gives each conversation that is due one turn of Lucas. Called by `worker.drain.job`.

Runs inside the transaction that also stores the messages: replies, state and status are committed
together or not at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import orjson
import structlog

from bot.dealer_rows import dealer_of
from bot.stock import Stock
from bot.values import Appointment, Dealer, Decision, Incoming, Origin, Turn
from tenancy.lease import TenantConnection
from tenancy.registry import TenantConfig
from worker.drain import agenda, funnel, handover, messages
from worker.drain.conversations import Conversation
from worker.drain.messages import NewMessage, Unanswered
from worker.drain.replies import apply, why_of
from worker.drain.shelf import Shelf, Shelved
from worker.queue.causes import cause_of

log = structlog.get_logger()

_TURNS_AT_ONCE = 16


class Decide(Protocol):
    """The seam of Lucas: values in, a decision out. `bot.lucas.decide` is one."""

    def __call__(self, turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision: ...


@dataclass(frozen=True, slots=True)
class FailedTurn:
    """A turn that raised: a bug. The buyer waits, a person must see it."""

    conversation_id: int
    turn: int
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """What all turns of one round are decided with."""

    shelved: Shelved
    dealer: Dealer
    appointments: Mapping[int, Appointment]
    taken: frozenset[datetime]
    local: datetime
    """Now, in the dealer's zone."""
    loaded_us: int

    def turn(self, conversation: Conversation, told: Sequence[Incoming]) -> Turn:
        """One conversation's turn, as Lucas is given it."""
        return Turn(
            messages=tuple(told),
            state=orjson.loads(conversation.estado) if conversation.estado else {},
            status=conversation.status,
            buyer_name=conversation.customer_name,
            appointment=self.appointments.get(conversation.customer_id),
            taken=self.taken,
        )


@dataclass(slots=True)
class Taken:
    """What came out of a round of turns."""

    turns: int = 0
    replies: int = 0
    failed: tuple[FailedTurn, ...] = ()
    agenda_changed: bool = False


class TurnTaker:
    """Takes turns for any empresa; holds only the shelf of stocks. One per process."""

    def __init__(self, decide: Decide, shelf: Shelf, *, zone: ZoneInfo) -> None:
        self._decide = decide
        self._shelf = shelf
        self._zone = zone

    async def take(
        self,
        conn: TenantConnection,
        due: Sequence[Conversation],
        dealer: TenantConfig,
        *,
        now: datetime,
    ) -> Taken:
        """Decides for all of them and writes their replies; the caller saves the conversations."""
        if not due:
            return Taken()
        started = time.perf_counter_ns()
        incoming = await self._incoming(conn, due)
        round_ = await self._round(conn, due, dealer, now, started)
        stock = round_.shelved.stock
        incoming = {id_: _about_cars(told, stock) for id_, told in incoming.items()}
        taken, rows = Taken(turns=len(due)), list[NewMessage]()
        moves = list[funnel.Move]()
        for place, conversation in enumerate(due):
            if place % _TURNS_AT_ONCE == 0:
                await asyncio.sleep(0)  # deciding is all CPU: other dealers get their share
            told = incoming[conversation.id]
            try:
                decision, micros = self._ask(round_, round_.turn(conversation, told))
            except Exception as error:  # a bug of Lucas must stop one conversation, not a dealer
                log.exception("turn failed", empresa_id=conn.empresa_id,
                              conversation_id=conversation.id)  # fmt: skip
                await give_up(conn, conversation, taken, error)
                continue
            why = why_of(decision, conversation, told, (round_.loaded_us, micros), now)
            moves.append(_move(conversation, decision))
            replies = apply(decision, conversation, why, now)
            if decision.agenda is not None:
                await agenda.commit(conn, conversation, decision.agenda, now=now)
                taken.agenda_changed = True
            await handover.note(conn, conversation, decision, now=now)
            if not replies:
                await messages.explain(conn, conversation.id, conversation.turno, why)
            rows += replies
        messages.insert_later(conn, rows)
        funnel.note_later(conn, moves, now=now)
        taken.replies = len(rows)
        return taken

    async def _incoming(
        self, conn: TenantConnection, due: Sequence[Conversation]
    ) -> dict[int, list[Incoming]]:
        found = {c.id: c.fresh for c in due if c.fresh is not None}
        older = [c for c in due if c.fresh is None]
        if older:
            by_turn = await messages.unanswered(conn, {c.id: c.turno + 1 for c in older})
            cars = await _quoted_cars(conn, by_turn)
            for conversation, texts in by_turn.items():
                found[conversation] = [t.incoming(cars.get((t.canal_id, t.citada))) for t in texts]
        return found

    async def _round(
        self,
        conn: TenantConnection,
        due: Sequence[Conversation],
        tenant: TenantConfig,
        now: datetime,
        started_ns: int,
    ) -> _Round:
        shelved = await self._shelf.of(conn)
        zone = shelved.profile.zone(self._zone)
        most = shelved.profile.visitas_por_horario
        return _Round(
            shelved=shelved,
            dealer=dealer_of(tenant, shelved.profile),
            appointments=await agenda.appointments(conn, due, zone=zone, now=now),
            taken=await agenda.taken(conn, most=most, zone=zone, now=now),
            local=now.astimezone(zone),
            loaded_us=(time.perf_counter_ns() - started_ns) // 1000,
        )

    def _ask(self, round_: _Round, turn: Turn) -> tuple[Decision, int]:
        started = time.perf_counter_ns()
        decision = self._decide(
            turn, stock=round_.shelved.stock, dealer=round_.dealer, now=round_.local
        )
        return decision, (time.perf_counter_ns() - started) // 1000


def _about_cars(told: Sequence[Incoming], stock: Stock) -> list[Incoming]:
    """A lead names a car by its id where the portal has it from the dealer's own stock."""
    return [
        replace(message, quoted_car_id=car)
        if message.origin is not None and (car := _car_of_lead(message.origin, stock)) is not None
        else message
        for message in told
    ]


def _car_of_lead(origin: Origin, stock: Stock) -> int | None:
    ref = origin.car_ref or ""
    known = ref.isdecimal() and len(ref) < 10 and stock.get(int(ref)) is not None
    return int(ref) if known else None


async def give_up(
    conn: TenantConnection, conversation: Conversation, taken: Taken, error: Exception
) -> None:
    """Ends a turn that cannot be taken; its messages say why, and a person must see to them."""
    reason = f"{type(error).__name__}: {error}"
    turn = conversation.take_turn_number()
    conversation.turno_anterior = None
    await messages.mark_failed(conn, conversation.id, turn, reason)
    taken.failed += (FailedTurn(conversation.id, turn, reason, cause_of(error)),)


async def _quoted_cars(
    conn: TenantConnection, by_conversation: Mapping[int, Sequence[Unanswered]]
) -> dict[tuple[int | None, str | None], int]:
    quoted = {
        (text.canal_id, text.citada)
        for texts in by_conversation.values()
        for text in texts
        if text.canal_id is not None and text.citada is not None
    }
    facts = await messages.quoted_facts(conn, quoted)
    cars: dict[tuple[int | None, str | None], int] = {}
    for key, stated in facts.items():
        named = {fact["car_id"] for fact in orjson.loads(stated)}
        if len(named) == 1:
            cars[key] = named.pop()
    return cars


def _move(conversation: Conversation, decision: Decision) -> funnel.Move:
    """Of a turn that is about to be taken."""
    return funnel.Move(
        conversation_id=conversation.id,
        noted=conversation.status_anotado,
        found=conversation.status_lido,
        before=conversation.status,
        after=decision.status,
        turn=conversation.turno + 1,
        rule=decision.rule,
    )

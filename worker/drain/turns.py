"""Gives each conversation that is due one turn of Lucas. Called by `worker.drain.job`.

Runs inside the transaction that also stores the messages: replies, state and status are committed
together or not at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson
import structlog

from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Incoming, Turn
from tenancy.lease import TenantConnection
from tenancy.registry import TenantConfig
from worker.clock import to_ms
from worker.drain import messages
from worker.drain.conversations import Conversation
from worker.drain.intake import remember_turn
from worker.drain.messages import NewMessage, Unanswered
from worker.drain.shelf import Shelf
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


@dataclass(slots=True)
class Taken:
    """What came out of a round of turns."""

    turns: int = 0
    replies: int = 0
    failed: tuple[FailedTurn, ...] = ()


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
        incoming = await self._incoming(conn, due)
        stock = await self._shelf.stock(conn)
        taken, rows = Taken(turns=len(due)), []
        for place, conversation in enumerate(due):
            if place % _TURNS_AT_ONCE == 0:
                await asyncio.sleep(0)  # deciding is all CPU: other dealers get their share
            told = incoming[conversation.id]
            try:
                decision, micros = self._ask(conversation, told, stock, dealer, now)
            except Exception as error:  # a bug of Lucas must stop one conversation, not a dealer
                log.exception("turn failed", empresa_id=conn.empresa_id,
                              conversation_id=conversation.id)  # fmt: skip
                await give_up(conn, conversation, taken, error)
                continue
            why = _why(decision, conversation, len(told), micros, now)
            replies = _apply(decision, conversation, why, now)
            if not replies:
                await messages.explain(conn, conversation.id, conversation.turno, why)
            rows += replies
        await messages.insert(conn, rows)
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

    def _ask(
        self,
        conversation: Conversation,
        told: Sequence[Incoming],
        stock: Stock,
        dealer: TenantConfig,
        now: datetime,
    ) -> tuple[Decision, int]:
        started = time.perf_counter_ns()
        decision = self._decide(
            Turn(
                messages=tuple(told),
                state=orjson.loads(conversation.estado) if conversation.estado else {},
                status=conversation.status,
                buyer_name=conversation.customer_name,
            ),
            stock=stock,
            dealer=Dealer(
                nome=dealer.nome,
                endereco=dealer.endereco,
                telefone=dealer.telefone,
                horario=dealer.horario,
            ),
            now=now.astimezone(self._zone),
        )
        return decision, (time.perf_counter_ns() - started) // 1000


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


def _why(
    decision: Decision, conversation: Conversation, told: int, micros: int, now: datetime
) -> str:
    """The turn's explanation, as JSON for `mensagens.decisao`."""
    since = conversation.sem_resposta_desde
    return orjson.dumps(
        {
            "rule": decision.rule,
            "understood": decision.understood,
            "considered": decision.considered,
            "handoff": decision.handoff,
            "messages": told,
            "waited_ms": None if since is None else to_ms(now) - to_ms(since),
            "decided_us": micros,
        }
    ).decode()


def _apply(
    decision: Decision, conversation: Conversation, why: str, now: datetime
) -> list[NewMessage]:
    """Moves the conversation on and makes the rows of its replies."""
    conversation.turno_anterior = remember_turn(conversation) if decision.bubbles else None
    turn = conversation.take_turn_number()
    conversation.estado = orjson.dumps(decision.state).decode()
    conversation.status = decision.status
    for bubble in decision.bubbles:
        conversation.last_message = messages.fitting(bubble.text or f"[{bubble.kind}]")
        conversation.last_interaction = now
    return [
        NewMessage(
            conversation_id=conversation.id,
            customer_id=conversation.customer_id,
            tipo="enviada",
            conteudo=bubble.text,
            at=now,
            external_id=None,
            canal_id=conversation.canal_id,
            autor="lucas",
            status="pendente",
            tipo_conteudo=bubble.kind.value,
            midia=bubble.media_url,
            endereco=conversation.endereco,
            turno=turn,
            fatos=_facts(bubble),
            decisao=why if place == 0 else None,
            gravada_em=now,
        )
        for place, bubble in enumerate(decision.bubbles)
    ]


def _facts(bubble: Bubble) -> str | None:
    if not bubble.facts:
        return None
    facts: list[dict[str, Any]] = [
        {
            "car_id": fact.car_id,
            "preco": None if fact.preco is None else str(fact.preco),
            "status": fact.status,
        }
        for fact in bubble.facts
    ]
    return orjson.dumps(facts).decode()

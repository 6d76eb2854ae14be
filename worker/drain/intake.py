"""Stores a batch of inbox events in the dealer's database. Called by `worker.drain.job`.

Runs inside the caller's transaction. Doing it again with the same events changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from bot.lucas import completeness
from bot.quiet import due_at
from bot.settings import LucasSettings
from bot.values import Incoming
from schema.events import BUYER_WROTE, Event, EventKind
from tenancy.lease import TenantConnection
from tenancy.registry import TenantConfig
from worker.clock import from_ms
from worker.drain import conversations, messages
from worker.drain.conversations import Book, Conversation
from worker.drain.messages import NewMessage
from worker.drain.statuses import climb

BOT_OFF = "bot_ativo=0"

_OLDEST = datetime(2009, 1, 1, tzinfo=UTC)  # the year of WhatsApp; older is a broken clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An inbox entry whose channel is known to belong to this empresa."""

    event: Event
    canal_id: int
    arrived_ms: int
    origin: str

    @property
    def external_id(self) -> str:
        """The gateway's id; where it gave none, the entry's: a replay is no news."""
        return self.event.message_id or f"helix:{self.origin}"

    @property
    def key(self) -> tuple[int, str]:
        """What makes a delivery the same message as another."""
        return (self.canal_id, self.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """What the dealer and the operator decide about new messages."""

    dealer: TenantConfig
    lucas: LucasSettings
    pause_after_human: timedelta

    @property
    def longest_quiet(self) -> timedelta:
        """After this long without a further message any burst is due."""
        lucas = self.lucas
        return timedelta(
            seconds=max(lucas.quiet_complete_s, lucas.quiet_fragment_s, lucas.quiet_greeting_s)
        )


async def take_in(
    conn: TenantConnection, arrivals: Sequence[Arrival], rules: IntakeRules, *, now: datetime
) -> Book:
    """Stores what is new; the book's conversations hold what changed and are not yet saved."""
    talk = [a for a in arrivals if _is_talk(a.event)]
    new = await _only_new(conn, talk)
    book = await conversations.find_or_open(conn, [a.event for a in new], now=now)
    await _undo_unsent_turns(conn, book, new)
    rows = [_enter(book.of(a.event), a, rules, now) for a in new]
    for conversation_id, last in {book.of(a.event).id: a for a in new}.items():
        _set_due(book.by_id[conversation_id], last, rules, now)
    if echoed := {book.of(a.event).id for a in new if a.event.kind is EventKind.HUMAN_ECHO}:
        await messages.withdraw_all(conn, echoed)
    await messages.insert(conn, rows)
    await climb(
        conn,
        conn.empresa_id,
        [(a.canal_id, a.event) for a in arrivals if a.event.kind is EventKind.STATUS],
    )
    if await _edit(conn, arrivals):
        for conversation in book.by_id.values():
            conversation.fresh = None  # what was collected may have changed
    return book


def _is_talk(event: Event) -> bool:
    return event.kind in BUYER_WROTE or event.kind is EventKind.HUMAN_ECHO


async def _only_new(conn: TenantConnection, talk: Sequence[Arrival]) -> list[Arrival]:
    ids: dict[int, list[str]] = {}
    for arrival in talk:
        ids.setdefault(arrival.canal_id, []).append(arrival.external_id)
    seen = await messages.stored_ids(conn, ids)
    new = []
    for arrival in talk:
        if arrival.key not in seen:
            seen.add(arrival.key)
            new.append(arrival)
    return new


async def _undo_unsent_turns(conn: TenantConnection, book: Book, new: Sequence[Arrival]) -> None:
    """The buyer wrote again before our answer left: it is withdrawn and taken anew."""
    answered = {
        conversation.id
        for arrival in new
        if (conversation := book.of(arrival.event)).turno_anterior is not None
    }
    if answered:
        for undone in await messages.withdraw_unsent(conn, sorted(answered)):
            undo_turn(book.by_id[undone])


def remember_turn(conversation: Conversation) -> str:
    """What `undo_turn` needs, as JSON for `conversations.turno_anterior`."""
    since = conversation.sem_resposta_desde
    return orjson.dumps(
        {
            "estado": conversation.estado,
            "status": conversation.status,
            "desde": None if since is None else since.isoformat(),
        }
    ).decode()


def undo_turn(conversation: Conversation) -> None:
    """Sets a conversation back to before its last turn, whose replies are withdrawn."""
    before = orjson.loads(conversation.turno_anterior or "{}")
    conversation.estado = before["estado"]
    conversation.status = before["status"]
    conversation.turno -= 1
    conversation.turno_anterior = None
    since = before["desde"]
    conversation.sem_resposta_desde = None if since is None else datetime.fromisoformat(since)


def _enter(
    conversation: Conversation, arrival: Arrival, rules: IntakeRules, now: datetime
) -> NewMessage:
    """Notes a new message in its conversation and makes the row for it."""
    event = arrival.event
    conversation.last_message = messages.fitting(event.text or f"[{event.kind}]")
    conversation.last_interaction = _written_at(arrival, now)
    if event.kind is EventKind.HUMAN_ECHO:
        return _enter_human(conversation, arrival, rules, now)
    conversation.canal_id, conversation.endereco = arrival.canal_id, event.reply_to or event.phone
    reason = _why_silent(conversation, rules, now)
    why: str | None = None
    if reason is not None:
        turn, why = conversation.take_turn_number(), silent(reason)
        conversation.turno_anterior = None
    else:
        turn = conversation.turno + 1
        _collect(conversation, arrival)
    return _row(conversation, arrival, now, tipo="recebida", autor="comprador", status=None,
                turno=turn, decisao=why)  # fmt: skip


def _enter_human(
    conversation: Conversation, arrival: Arrival, rules: IntakeRules, now: datetime
) -> NewMessage:
    """A seller wrote by hand: Lucas keeps quiet, what the buyer asked is the seller's now."""
    turn = conversation.take_turn_number()
    conversation.turno_anterior = None
    conversation.fresh = None
    until = now + rules.pause_after_human
    conversation.bot_pausado_ate = max(until, conversation.bot_pausado_ate or until)
    conversation.bot_pausado_por = "vendedor"
    return _row(conversation, arrival, now, tipo="enviada", autor="vendedor", status="enviada",
                turno=turn, decisao=None)  # fmt: skip


def silent(reason: str) -> str:
    """Why nobody answers, as JSON for `mensagens.decisao`."""
    return orjson.dumps({"rule": "silent", "why": reason}).decode()


def _why_silent(conversation: Conversation, rules: IntakeRules, now: datetime) -> str | None:
    if not rules.dealer.bot_ativo:
        return BOT_OFF
    paused = conversation.bot_pausado_ate
    if paused is not None and paused > now:
        by = conversation.bot_pausado_por or "uma pessoa"
        return f"pausado por {by} até {paused:%d/%m/%Y %H:%M} UTC"
    return None


def _collect(conversation: Conversation, arrival: Arrival) -> None:
    """A burst is one turn: collects what it has to answer."""
    event = arrival.event
    if conversation.sem_resposta_desde is None:
        conversation.sem_resposta_desde = from_ms(arrival.arrived_ms)
        conversation.fresh = []
    if conversation.fresh is not None and event.quoted_id is None:
        conversation.fresh.append(Incoming(kind=event.kind, text=event.text))
    else:
        conversation.fresh = None  # what is quoted, or older, must be read from the database


def _set_due(conversation: Conversation, last: Arrival, rules: IntakeRules, now: datetime) -> None:
    """When a burst is answered, by its last message; no later message of this batch follows."""
    if conversation.sem_resposta_desde is None:
        return  # a person answers, or nobody
    event, arrived = last.event, from_ms(last.arrived_ms)
    if arrived + rules.longest_quiet <= now:
        conversation.responder_em = now  # a backlog: due whatever it says, so nobody reads it here
        return
    state = orjson.loads(conversation.estado) if conversation.estado else {}
    conversation.responder_em = due_at(
        conversation.sem_resposta_desde,
        arrived,
        completeness(event.text, event.kind, state),
        rules.lucas,
    )


def _row(
    conversation: Conversation,
    arrival: Arrival,
    now: datetime,
    *,
    tipo: str,
    autor: str,
    status: str | None,
    turno: int,
    decisao: str | None,
) -> NewMessage:
    event = arrival.event
    return NewMessage(
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        tipo=tipo,
        conteudo=event.text,
        at=_written_at(arrival, now),
        external_id=arrival.external_id,
        canal_id=arrival.canal_id,
        autor=autor,
        status=status,
        tipo_conteudo=event.kind.value,
        midia=event.media_id_or_url[:2000] if event.media_id_or_url else None,
        citada=event.quoted_id[:255] if event.quoted_id else None,
        turno=turno,
        decisao=decisao,
        recebida_em=from_ms(arrival.arrived_ms),
        gravada_em=now,
    )


def _written_at(arrival: Arrival, now: datetime) -> datetime:
    """When the buyer wrote, by his gateway; a time that cannot be is replaced by the arrival."""
    if arrival.event.timestamp is not None and arrival.event.timestamp > _OLDEST.timestamp():
        latest = int(now.timestamp())
        return datetime.fromtimestamp(min(arrival.event.timestamp, latest), UTC)
    return from_ms(arrival.arrived_ms)


async def _edit(conn: TenantConnection, arrivals: Sequence[Arrival]) -> int:
    edited = 0
    for arrival in arrivals:
        event = arrival.event
        if event.kind is EventKind.EDITED and event.message_id and event.text:
            edited += await messages.edit(conn, arrival.canal_id, event.message_id, event.text)
    return edited

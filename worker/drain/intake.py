"""Stores a batch of inbox events in the dealer's database. Called by `worker.drain.transaction`.

Runs inside the caller's transaction. Doing it again with the same events changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson

from bot.values import Incoming
from schema.events import BUYER_WROTE, WITH_FILE, Event, EventKind
from tenancy.lease import TenantConnection
from worker.details import Details
from worker.drain import changes, choices, conversations, customers, messages, own_sends
from worker.drain.arrival import Arrival, IntakeRules
from worker.drain.conversations import Book, Conversation
from worker.drain.messages import NewMessage, origin_of
from worker.drain.silence import (
    answer_the_waiting,
    calls_lucas,
    end_pause,
    give_back,
    human_sign,
    silent,
    why_silent,
)
from worker.drain.statuses import climb
from worker.drain.undo import undo_turn
from worker.drain.window import set_due, wait_while_typing

_TALK = BUYER_WROTE | {EventKind.HUMAN_ECHO, EventKind.REACTION}
"""Kinds that become a row of their own."""


async def take_in(
    conn: TenantConnection, arrivals: Sequence[Arrival], rules: IntakeRules, *, now: datetime
) -> Book:
    """Stores what is new; the book's conversations hold what changed and are not yet saved."""
    talk = [a for a in arrivals if a.event.kind in _TALK]
    known = await _known(conn, talk)
    new = await own_sends.settle(conn, arrivals, _only_new(talk, known))
    book = await _whose(conn, arrivals, new, now=now)
    if talk:  # else nobody has asked
        book.others_due = known.first_due is not None and known.first_due <= now
    addresses = await _addresses_of_leads(conn, book, new)
    await _undo_unsent_turns(conn, book, [a for a in new if _is_a_turns(a, rules, now)])
    chosen = await choices.chosen(conn, book, new)
    rows = [_enter(book.of(a.event), a, rules, now, addresses, chosen.get(a.key)) for a in new]
    last = {book.of(a.event).id: a for a in new if _is_a_turns(a, rules, now)}
    set_due(book, last, rules, now=now)
    wait_while_typing(book, arrivals, last, rules)
    echoed = {book.of(a.event).id for a in new if _is_human(a.event)}
    messages.insert_later(conn, rows)
    echoed |= await changes.apply(conn, book, arrivals, known.early, rules, now=now)
    if echoed:
        await messages.withdraw_all(conn, echoed)
    await answer_the_waiting(conn, _given_back(book, new), rules=rules, now=now)
    book.late = {
        book.of(a.event).id: a.arrived_ms
        for a in new
        if a.event.kind in BUYER_WROTE and rules.is_too_old(a, now=now)
    }
    book.failed_sends = await climb(
        conn,
        conn.empresa_id,
        [(a.canal_id, a.event) for a in arrivals if a.event.kind is EventKind.STATUS],
        now=now,
    )
    return book


async def _known(conn: TenantConnection, talk: Sequence[Arrival]) -> messages.Known:
    ids: dict[int, list[str]] = {}
    for arrival in talk:
        ids.setdefault(arrival.canal_id, []).append(arrival.external_id)
    return await messages.known_of(conn, ids)


def _only_new(talk: Sequence[Arrival], known: messages.Known) -> list[Arrival]:
    """What is not stored yet, each once."""
    new = {arrival.key: arrival for arrival in reversed(talk) if arrival.key not in known.stored}
    return [arrival for arrival in talk if new.get(arrival.key) is arrival]


async def _whose(
    conn: TenantConnection, arrivals: Sequence[Arrival], new: Sequence[Arrival], *, now: datetime
) -> Book:
    """The conversations of what is new, and of those who are writing."""
    keys = {(arrival.origin, arrival.key) for arrival in new}
    telling = [
        a.event
        for a in arrivals
        if (a.origin, a.key) in keys
        or a.event.kind in {EventKind.PREFERENCE, EventKind.TYPING}
        or a.event.is_changed_identity
        or _names_twice(a.event)
    ]
    if not telling:
        return Book()
    circle = await customers.find_or_add(conn, telling, now=now)
    wishes = [event for event in telling if event.kind is EventKind.PREFERENCE]
    await customers.prefer(conn, circle, wishes)
    typing = [event for event in telling if event.kind is EventKind.TYPING]
    return await conversations.open_for(
        conn, circle, [a.event for a in new], only_known=typing, now=now
    )


def _names_twice(event: Event) -> bool:
    """A status that tells number and id of a buyer, who may have told only one of them himself."""
    both = event.phone is not None and event.user_id is not None
    return both and event.kind is EventKind.STATUS


async def _addresses_of_leads(
    conn: TenantConnection, book: Book, new: Sequence[Arrival]
) -> dict[int, str]:
    """Where to answer buyers who come with nothing but a number, by customer."""
    leads = [a for a in new if a.event.reply_to is None]
    found: dict[int, str] = {}
    for canal_id in {lead.canal_id for lead in leads}:
        buyers = {book.of(a.event).customer_id for a in leads if a.canal_id == canal_id}
        found |= await customers.addresses(conn, sorted(buyers), canal_id)
    return found


def _is_human(event: Event) -> bool:
    return event.kind is EventKind.HUMAN_ECHO and not calls_lucas(event.text)


def _is_a_turns(arrival: Arrival, rules: IntakeRules, now: datetime) -> bool:
    """Whether it changes what is to be answered: words of today, of the buyer or of a person."""
    event = arrival.event
    return _is_human(event) or (
        event.kind in BUYER_WROTE and not rules.is_too_old(arrival, now=now)
    )


async def _undo_unsent_turns(conn: TenantConnection, book: Book, new: Sequence[Arrival]) -> None:
    """The buyer wrote again before our answer left: it is withdrawn and taken anew."""
    answered = {
        conversation.id
        for arrival in new
        if (conversation := book.of(arrival.event)).turno_anterior is not None
    }
    if answered:
        for undone in await messages.withdraw_unsent(conn, sorted(answered)):
            book.agenda_changed |= await undo_turn(conn, book.by_id[undone])


def _enter(
    conversation: Conversation,
    arrival: Arrival,
    rules: IntakeRules,
    now: datetime,
    addresses: dict[int, str],
    option_id: str | None,
) -> NewMessage:
    """Notes a new message in its conversation and makes the row for it."""
    event = arrival.event
    if event.kind is EventKind.HUMAN_ECHO:
        return _enter_human(conversation, arrival, rules, now)
    if event.kind is EventKind.REACTION:
        return _row(conversation, arrival, now, turno=None)
    if rules.is_too_old(arrival, now=now):
        return _enter_too_old(conversation, arrival, rules, now)
    _note(conversation, arrival, now)
    conversation.canal_id = arrival.canal_id
    known = addresses.get(conversation.customer_id)
    conversation.endereco = event.reply_to or known or event.phone
    reason = why_silent(conversation, rules, now)
    why: str | None = None
    if reason is not None:
        turn, why = conversation.take_turn_number(), silent(reason)
        conversation.turno_anterior = None
    else:
        end_pause(conversation)
        turn = conversation.turno + 1
        _collect(conversation, arrival, option_id)
    return _row(conversation, arrival, now, turno=turn, decisao=why, option_id=option_id)


def _enter_human(
    conversation: Conversation, arrival: Arrival, rules: IntakeRules, now: datetime
) -> NewMessage:
    """A seller wrote by hand: Lucas keeps quiet, or is called back."""
    _note(conversation, arrival, now)
    turn = None
    if calls_lucas(arrival.event.text):
        give_back(conversation)
    else:
        turn = human_sign(conversation, arrival.written_at(now), rules)
    return _row(conversation, arrival, now, turno=turn)


def _enter_too_old(
    conversation: Conversation, arrival: Arrival, rules: IntakeRules, now: datetime
) -> NewMessage:
    """Stored and shown to a person; what is being answered meanwhile goes its way."""
    why = f"mensagem com mais de {rules.lucas.too_old_h:g} horas quando foi lida"
    if conversation.endereco is None:
        conversation.canal_id = arrival.canal_id
        conversation.endereco = arrival.event.reply_to or arrival.event.phone
    if conversation.last_message is None:
        _note(conversation, arrival, now)
    conversation.call_a_person(why, now=now)
    return _row(conversation, arrival, now, turno=None, decisao=silent(why))


def _note(conversation: Conversation, arrival: Arrival, now: datetime) -> None:
    event = arrival.event
    conversation.last_message = messages.fitting(event.text or f"[{event.kind}]")
    conversation.last_interaction = arrival.written_at(now)


def _collect(conversation: Conversation, arrival: Arrival, option_id: str | None) -> None:
    """A burst is one turn: collects what it has to answer."""
    event = arrival.event
    if conversation.sem_resposta_desde is None:
        conversation.sem_resposta_desde = arrival.arrived
        conversation.fresh = []
    to_be_heard = event.kind is EventKind.AUDIO
    if conversation.fresh is not None and event.quoted_id is None and not to_be_heard:
        conversation.fresh.append(
            Incoming(
                kind=event.kind,
                text=event.text,
                option_id=option_id,
                origin=origin_of(_origem(event)),
            )
        )
    else:  # what is quoted, older, or transcribed later must be read from the database
        conversation.fresh = None


def _given_back(book: Book, new: Sequence[Arrival]) -> Iterable[Conversation]:
    """Conversations whose last human sign in this batch is `#lucas`."""
    signs = {
        book.of(a.event).id: calls_lucas(a.event.text)
        for a in new
        if a.event.kind is EventKind.HUMAN_ECHO
    }
    return [book.by_id[id_] for id_, called in signs.items() if called]


def _origem(event: Event) -> str | None:
    """What brought the buyer, as JSON for `mensagens.origem`."""
    if event.ad is None and event.source is None and event.car_ref is None:
        return None
    told = {} if event.ad is None else event.ad.model_dump(exclude_none=True)
    told |= {"source": event.source, "car_ref": event.car_ref}
    known = {name: value for name, value in told.items() if value is not None}
    return orjson.dumps(known).decode()


def _details(event: Event, option_id: str | None) -> str | None:
    """What else the row says, as JSON for `mensagens.detalhes`; most messages say nothing."""
    if event.file_name is None and event.mime_type is None and option_id is None:
        return None
    return Details(
        file_name=event.file_name, mime_type=event.mime_type, option_id=option_id
    ).to_json()


def _row(
    conversation: Conversation,
    arrival: Arrival,
    now: datetime,
    *,
    turno: int | None,
    decisao: str | None = None,
    option_id: str | None = None,
) -> NewMessage:
    event = arrival.event
    human = event.kind is EventKind.HUMAN_ECHO
    return NewMessage(
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        tipo="enviada" if human else "recebida",
        conteudo=event.text,
        at=arrival.written_at(now),
        external_id=arrival.external_id,
        canal_id=arrival.canal_id,
        autor="vendedor" if human else "comprador",
        status="enviada" if human else None,
        tipo_conteudo=event.kind.value,
        midia=event.media_id_or_url[:2000] if event.media_id_or_url else None,
        citada=event.quoted_id[:255] if event.quoted_id else None,
        turno=turno,
        decisao=decisao,
        recebida_em=arrival.arrived,
        gravada_em=now,
        detalhes=_details(event, option_id),
        midia_em=now if event.kind in WITH_FILE and event.media_id_or_url else None,
        origem=_origem(event),
    )

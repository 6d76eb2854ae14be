"""Finds or opens the conversation of each buyer, and saves it. Called by `worker.drain`.

A buyer's conversation is the newest one of his that nobody closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.values import Incoming
from schema.events import Event
from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.drain.people import Circle
from worker.drain.references import CONVERSATION, survivor

_COLUMNS = """
    cu.id, cu.phone, cu.name,
    co.id, co.status, co.estado, co.turno, co.turno_anterior, co.sem_resposta_desde,
    co.responder_em, co.canal_id, co.endereco, co.bot_pausado_ate, co.last_message,
    co.last_interaction, co.bot_pausado_por, co.atencao, co.atencao_em, co.ritmo_em,
    co.status_anotado
"""
# FOR UPDATE: a person may close a conversation in the same moment; neither change is lost.
_OF_CUSTOMERS = f"""
    SELECT {_COLUMNS}
      FROM customers cu
      JOIN conversations co ON co.id = (
           SELECT MAX(x.id) FROM conversations x
            WHERE x.customer_id = cu.id AND x.status <> 'fechado')
     WHERE cu.id IN %(customers)s
       FOR UPDATE
"""  # noqa: S608 - only our own column list is put in
_DUE = f"""
    SELECT {_COLUMNS}
      FROM conversations co JOIN customers cu ON cu.id = co.customer_id
     WHERE co.responder_em <= %(now)s
     ORDER BY co.responder_em LIMIT %(most)s
       FOR UPDATE
"""  # noqa: S608 - only our own column list is put in
_BY_ID = f"""
    SELECT {_COLUMNS}
      FROM conversations co JOIN customers cu ON cu.id = co.customer_id
     WHERE co.id = %(conversation)s
       FOR UPDATE
"""  # noqa: S608 - only our own column list is put in
_NEW_CONVERSATIONS = (
    "INSERT INTO conversations (customer_id, status, last_interaction) VALUES (%s, %s, %s)"
)
_NEWEST = """
    SELECT customer_id, MAX(id) FROM conversations
     WHERE customer_id IN %(customers)s GROUP BY customer_id
"""
_SAVE = """
    INSERT INTO conversations (id, customer_id, status, last_message, last_interaction, estado,
                               turno, turno_anterior, sem_resposta_desde, responder_em, canal_id,
                               endereco, bot_pausado_ate, bot_pausado_por, atencao, atencao_em,
                               ritmo_em, status_anotado)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON DUPLICATE KEY UPDATE status = VALUES(status), last_message = VALUES(last_message),
        last_interaction = VALUES(last_interaction), estado = VALUES(estado),
        turno = VALUES(turno), turno_anterior = VALUES(turno_anterior),
        sem_resposta_desde = VALUES(sem_resposta_desde), responder_em = VALUES(responder_em),
        canal_id = VALUES(canal_id), endereco = VALUES(endereco),
        bot_pausado_ate = VALUES(bot_pausado_ate),
        bot_pausado_por = VALUES(bot_pausado_por), atencao = VALUES(atencao),
        atencao_em = VALUES(atencao_em), ritmo_em = VALUES(ritmo_em),
        status_anotado = VALUES(status_anotado)
"""


_NEW_STATUS = "novo"


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A row of `conversations` while a transaction works on it."""

    id: int
    customer_id: int
    customer_name: str | None
    status: str
    estado: str | None
    turno: int
    turno_anterior: str | None
    sem_resposta_desde: datetime | None
    responder_em: datetime | None
    canal_id: int | None
    endereco: str | None
    bot_pausado_ate: datetime | None
    bot_pausado_por: str | None
    last_message: str | None
    last_interaction: datetime | None
    atencao: str | None = None
    """Why a person must look; the next human sign clears it."""
    atencao_em: datetime | None = None
    ritmo_em: datetime | None = None
    """See `worker.drain.pace`."""
    status_lido: str | None = None
    """The status that its row has; a person may have set it."""
    status_anotado: str | None = None
    """The status that its history ends with, see `worker.drain.funnel`."""
    buyer_is_new: bool = False
    """Its buyer came with this batch: nothing else in the database refers to him."""
    fresh: list[Incoming] | None = None
    """What the buyer wrote in this batch, when nothing before it is unanswered; else None."""

    def take_turn_number(self) -> int:
        """The next turn is taken: by Lucas, by a person, or by keeping quiet."""
        self.turno += 1
        self.sem_resposta_desde = None
        self.responder_em = None
        return self.turno

    def call_a_person(self, why: str, *, now: datetime) -> None:
        """Marks it for the dealer's people; what it was marked for first stands."""
        if self.atencao is None:
            self.atencao, self.atencao_em = why, now


@dataclass(slots=True)
class Book:
    """The conversations of one transaction, each once, by id and by their buyers."""

    circle: Circle = field(default_factory=Circle)
    by_id: dict[int, Conversation] = field(default_factory=dict)
    by_customer: dict[int, Conversation] = field(default_factory=dict)
    others_due: bool = True
    """Whether conversations may be due that this batch says nothing of."""
    late: dict[int, int] = field(default_factory=dict)
    """Conversations with messages too late for an answer, and when the newest came (ms)."""
    failed_sends: list[int] = field(default_factory=list)
    """Rows of `mensagens` that a gateway took and now reports as failed."""
    agenda_changed: bool = False
    """A withdrawn turn took its appointment back."""
    _found: dict[tuple[str | None, ...], Conversation | None] = field(default_factory=dict)
    """By all that an event tells of its buyer: in a backlog each writes many."""

    def of(self, event: Event) -> Conversation:
        """The conversation of an event that was given to `open_for`."""
        found = self.find(event)
        if found is None:
            raise LookupError("this event's buyer has no conversation here")
        return found

    def find(self, event: Event) -> Conversation | None:
        """The conversation of an event's buyer, if he and it are known."""
        told = (event.gateway, event.phone, event.user_id, event.reply_to)
        if told not in self._found:
            person = self.circle.find(event)
            id_ = None if person is None else person.id
            self._found[told] = None if id_ is None else self.by_customer.get(id_)
        return self._found[told]

    def enter(self, conversation: Conversation) -> Conversation:
        """One conversation is one object, whichever way it was found."""
        return self.by_id.setdefault(conversation.id, conversation)


async def open_for(
    conn: TenantConnection,
    circle: Circle,
    events: Sequence[Event],
    *,
    only_known: Sequence[Event] = (),
    now: datetime,
) -> Book:
    """The conversations of all these events, made where there is none.

    Those of `only_known` come along where they exist. All buyers of `events` have rows.
    """
    book = Book(circle)
    names = {
        person.id: person.name
        for event in events
        if (person := circle.find(event)) and person.id is not None
    }
    needed = names.keys()
    known = {person.id for event in only_known if (person := circle.find(event)) and person.id}
    new = {person.id for person in circle.newcomers if person.id is not None}
    await _load(conn, book, (needed | known) - new)
    missing = sorted(needed - book.by_customer.keys())
    if missing:
        for id_, customer in await _add(conn, missing, now=now):
            book.by_customer[customer] = book.enter(
                _fresh(id_, customer, names.get(customer), is_new=customer in new, now=now)
            )
    return book


async def _add(
    conn: TenantConnection, customers: Sequence[int], *, now: datetime
) -> list[tuple[int, int]]:
    """A conversation for each of these customers: (id, customer)."""
    rows = [(customer, _NEW_STATUS, now) for customer in customers]
    await conn.execute_many(_NEW_CONVERSATIONS, rows)
    if len(customers) == 1:
        return [(conn.last_id, customers[0])]
    found = await conn.fetch_all(_NEWEST, {"customers": list(customers)})
    return [(id_, customer) for customer, id_ in found]


async def _load(conn: TenantConnection, book: Book, customers: Iterable[int]) -> None:
    wanted = sorted(customers)
    if wanted:
        for row in await conn.fetch_all(_OF_CUSTOMERS, {"customers": wanted}):
            book.by_customer[row[0]] = book.enter(_conversation(row))


async def due(conn: TenantConnection, *, now: datetime, most: int) -> list[Conversation]:
    """Conversations whose turn is due, the longest waiting first."""
    rows = await conn.fetch_all(_DUE, {"now": now, "most": most})
    return [_conversation(row) for row in rows]


async def by_id(conn: TenantConnection, conversation_id: int) -> Conversation:
    """One conversation that exists, or did until it became part of another: then that one."""
    rows = await conn.fetch_all(_BY_ID, {"conversation": conversation_id})
    if not rows:
        stands = await survivor(conn, CONVERSATION, conversation_id)
        rows = await conn.fetch_all(_BY_ID, {"conversation": stands})
    return _conversation(rows[0])


async def save(conn: TenantConnection, conversations: Iterable[Conversation]) -> None:
    """Writes all that changed in one statement."""
    await conn.execute_many(_SAVE, map(_saved, conversations))


def save_later(conn: TenantConnection, conversations: Iterable[Conversation]) -> None:
    """The same in a transaction, on the way of its next statement."""
    conn.later_many(_SAVE, map(_saved, conversations))


def _saved(c: Conversation) -> tuple[object, ...]:
    return (
        c.id, c.customer_id, c.status, c.last_message, c.last_interaction, c.estado, c.turno,
        c.turno_anterior, c.sem_resposta_desde, c.responder_em, c.canal_id, c.endereco,
        c.bot_pausado_ate, c.bot_pausado_por, c.atencao, c.atencao_em,
        c.ritmo_em, c.status_anotado,
    )  # fmt: skip


def _fresh(
    id_: int, customer_id: int, name: str | None, *, is_new: bool, now: datetime
) -> Conversation:
    """As the database has it after `_NEW_CONVERSATIONS`."""
    return Conversation(
        id=id_,
        customer_id=customer_id,
        customer_name=name,
        status=_NEW_STATUS,
        estado=None,
        turno=0,
        turno_anterior=None,
        sem_resposta_desde=None,
        responder_em=None,
        canal_id=None,
        endereco=None,
        bot_pausado_ate=None,
        bot_pausado_por=None,
        last_message=None,
        last_interaction=now,
        status_lido=_NEW_STATUS,
        buyer_is_new=is_new,
    )


def _conversation(row: Sequence[Any]) -> Conversation:
    return Conversation(
        customer_id=row[0],
        customer_name=row[2],
        id=row[3],
        status=row[4] or "novo",
        estado=row[5],
        turno=row[6],
        turno_anterior=row[7],
        sem_resposta_desde=stored(row[8]),
        responder_em=stored(row[9]),
        canal_id=row[10],
        endereco=row[11],
        bot_pausado_ate=stored(row[12]),
        last_message=row[13],
        last_interaction=stored(row[14]),
        bot_pausado_por=row[15],
        atencao=row[16],
        atencao_em=stored(row[17]),
        ritmo_em=stored(row[18]),
        status_lido=row[4],
        status_anotado=row[19],
    )

"""Finds or opens the conversation that each event belongs to. Called by `worker.drain.intake`.

A buyer is found by phone, else by what else the gateway knows of him. His conversation is the
newest one that nobody closed.
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

_COLUMNS = """
    cu.id, cu.phone, cu.name,
    co.id, co.status, co.estado, co.turno, co.turno_anterior, co.sem_resposta_desde,
    co.responder_em, co.canal_id, co.endereco, co.bot_pausado_ate, co.last_message,
    co.last_interaction, co.bot_pausado_por
"""
# FOR UPDATE: a person may close a conversation in the same moment; neither change is lost.
_BY_PHONE = f"""
    SELECT {_COLUMNS}
      FROM customers cu
      LEFT JOIN conversations co ON co.id = (
           SELECT MAX(x.id) FROM conversations x
            WHERE x.customer_id = cu.id AND x.status <> 'fechado')
     WHERE cu.phone IN %(phones)s
       FOR UPDATE
"""  # noqa: S608 - only our own column list is put in
_BY_CUSTOMER = f"""
    SELECT {_COLUMNS}
      FROM customers cu
      LEFT JOIN conversations co ON co.id = (
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
_NEW_CUSTOMERS = "INSERT INTO customers (phone, name) VALUES (%s, %s)"
# Placeholders only: with a literal among the values the driver sends one statement for each row.
_NEW_CONVERSATIONS = (
    "INSERT INTO conversations (customer_id, status, last_interaction) VALUES (%s, %s, %s)"
)
_IDENTITIES = """
    SELECT gateway, tipo, valor, customer_id FROM customer_identities
     WHERE (gateway, tipo, valor) IN %(identities)s
"""
_NEW_IDENTITIES = """
    INSERT INTO customer_identities (gateway, tipo, valor, customer_id) VALUES (%s, %s, %s, %s)
"""
_SAVE = """
    INSERT INTO conversations (id, customer_id, status, last_message, last_interaction, estado,
                               turno, turno_anterior, sem_resposta_desde, responder_em, canal_id,
                               endereco, bot_pausado_ate, bot_pausado_por)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON DUPLICATE KEY UPDATE status = VALUES(status), last_message = VALUES(last_message),
        last_interaction = VALUES(last_interaction), estado = VALUES(estado),
        turno = VALUES(turno), turno_anterior = VALUES(turno_anterior),
        sem_resposta_desde = VALUES(sem_resposta_desde), responder_em = VALUES(responder_em),
        canal_id = VALUES(canal_id), endereco = VALUES(endereco),
        bot_pausado_ate = VALUES(bot_pausado_ate),
        bot_pausado_por = VALUES(bot_pausado_por)
"""

Identity = tuple[str, str, str]
"""gateway, tipo, valor as in `customer_identities`."""
BuyerKey = str | Identity
"""A phone, or an identity where the gateway tells no phone."""


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
    fresh: list[Incoming] | None = None
    """What the buyer wrote in this batch, when nothing before it is unanswered; else None."""

    def take_turn_number(self) -> int:
        """The next turn is taken: by Lucas, by a person, or by keeping quiet."""
        self.turno += 1
        self.sem_resposta_desde = None
        self.responder_em = None
        return self.turno


@dataclass(slots=True)
class Book:
    """The conversations of one transaction, each once, by buyer and by id."""

    by_buyer: dict[BuyerKey, Conversation] = field(default_factory=dict)
    by_id: dict[int, Conversation] = field(default_factory=dict)

    def of(self, event: Event) -> Conversation:
        """The conversation of an event that was given to `find_or_open`."""
        return self.by_buyer[buyer_key(event)]


def buyer_key(event: Event) -> BuyerKey:
    """What tells this buyer from others. Raises ValueError when the event tells nothing."""
    if event.phone is not None:
        return event.phone
    if event.user_id is not None:
        return (event.gateway, "user_id", event.user_id)
    if event.reply_to is not None:
        return (event.gateway, "address", event.reply_to)
    raise ValueError("the event names no buyer: phone, user_id and reply_to are all missing")


async def find_or_open(conn: TenantConnection, events: Sequence[Event], *, now: datetime) -> Book:
    """The conversations of all these events; customers and conversations are made where missing."""
    book = Book()
    by_key = {buyer_key(event): event for event in events}
    owners = await _owners_of_identities(conn, by_key.values())
    phones = _phones_told_beside(events)
    told = {key: phones[key] for key in by_key if key in phones and key not in owners}
    for key, phone in told.items():  # one buyer, once with and once without his number
        by_key.setdefault(phone, by_key.pop(key))
    await _find(conn, book, by_key, owners)
    missing = [key for key in by_key if key not in book.by_buyer]
    if missing:
        await _open(conn, by_key, owners, missing, now=now)
        await _find(conn, book, {key: by_key[key] for key in missing}, owners)
    for key, phone in told.items():
        book.by_buyer[key] = book.by_buyer[phone]
    await _learn_identities(conn, book, events, owners)
    return book


def _phones_told_beside(events: Iterable[Event]) -> dict[BuyerKey, str]:
    """The number of each gateway's id that comes together with one in these events."""
    return {
        (event.gateway, "user_id", event.user_id): event.phone
        for event in events
        if event.user_id is not None and event.phone is not None
    }


async def due(conn: TenantConnection, *, now: datetime, most: int) -> list[Conversation]:
    """Conversations whose turn is due, the longest waiting first."""
    rows = await conn.fetch_all(_DUE, {"now": now, "most": most})
    return [_conversation(row) for row in rows]


async def by_id(conn: TenantConnection, conversation_id: int) -> Conversation:
    """One conversation that exists."""
    rows = await conn.fetch_all(_BY_ID, {"conversation": conversation_id})
    return _conversation(rows[0])


async def save(conn: TenantConnection, conversations: Iterable[Conversation]) -> None:
    """Writes all that changed in one statement."""
    await conn.execute_many(
        _SAVE,
        [
            (c.id, c.customer_id, c.status, c.last_message, c.last_interaction, c.estado, c.turno,
             c.turno_anterior, c.sem_resposta_desde, c.responder_em, c.canal_id, c.endereco,
             c.bot_pausado_ate, c.bot_pausado_por)
            for c in conversations
        ],
    )  # fmt: skip


async def _find(
    conn: TenantConnection,
    book: Book,
    by_key: dict[BuyerKey, Event],
    owners: dict[Identity, int],
) -> None:
    phones = [key for key in by_key if isinstance(key, str)]
    if phones:
        for row in await conn.fetch_all(_BY_PHONE, {"phones": phones}):
            if row[3] is not None:
                _enter(book, row[1], _conversation(row))
    nameless = [key for key in by_key if not isinstance(key, str) and key in owners]
    if nameless:
        rows = await conn.fetch_all(_BY_CUSTOMER, {"customers": [owners[key] for key in nameless]})
        by_customer = {row[0]: row for row in rows if row[3] is not None}
        for key in nameless:
            if owners[key] in by_customer:
                _enter(book, key, _conversation(by_customer[owners[key]]))


def _enter(book: Book, key: BuyerKey, conversation: Conversation) -> None:
    # Two keys may lead to one conversation: it must be one object.
    book.by_buyer[key] = book.by_id.setdefault(conversation.id, conversation)


async def _open(
    conn: TenantConnection,
    by_key: dict[BuyerKey, Event],
    owners: dict[Identity, int],
    missing: Sequence[BuyerKey],
    *,
    now: datetime,
) -> None:
    phones = [key for key in missing if isinstance(key, str)]
    customers = await _customer_ids(conn, phones)
    new = [phone for phone in phones if phone not in customers]
    if new:
        await conn.execute_many(_NEW_CUSTOMERS, [(phone, _name(by_key[phone])) for phone in new])
        customers |= await _customer_ids(conn, new)
    for key in missing:
        if not isinstance(key, str) and key not in owners:
            await conn.execute(_NEW_CUSTOMERS, (None, _name(by_key[key])))
            owners[key] = conn.last_id
            await conn.execute(_NEW_IDENTITIES, (*key, conn.last_id))
    ids = [customers[key] if isinstance(key, str) else owners[key] for key in missing]
    await conn.execute_many(
        _NEW_CONVERSATIONS, [(customer, "novo", now) for customer in dict.fromkeys(ids)]
    )


async def _customer_ids(conn: TenantConnection, phones: Sequence[str]) -> dict[str, int]:
    if not phones:
        return {}
    rows = await conn.fetch_all(
        "SELECT phone, id FROM customers WHERE phone IN %(phones)s", {"phones": phones}
    )
    return dict(rows)


def _identities(events: Iterable[Event]) -> dict[Identity, Event]:
    """What is worth knowing of each buyer besides the phone."""
    found: dict[Identity, Event] = {}
    for event in events:
        if event.user_id is not None:
            found[(event.gateway, "user_id", event.user_id)] = event
        elif event.phone is None and event.reply_to is not None:
            found[(event.gateway, "address", event.reply_to)] = event
    return found


async def _owners_of_identities(
    conn: TenantConnection, events: Iterable[Event]
) -> dict[Identity, int]:
    wanted = list(_identities(events))
    if not wanted:
        return {}
    rows = await conn.fetch_all(_IDENTITIES, {"identities": wanted})
    return {(gateway, tipo, valor): customer for gateway, tipo, valor, customer in rows}


async def _learn_identities(
    conn: TenantConnection,
    book: Book,
    events: Iterable[Event],
    owners: dict[Identity, int],
) -> None:
    """A buyer found by phone: the next message of his may tell only the other identity."""
    new = [
        (*identity, book.of(event).customer_id)
        for identity, event in _identities(events).items()
        if identity not in owners
    ]
    await conn.execute_many(_NEW_IDENTITIES, new)


def _name(event: Event) -> str | None:
    return event.push_name[:255] if event.push_name and not event.from_me else None


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
    )

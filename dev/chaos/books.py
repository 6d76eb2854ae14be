"""What there is to count: messages as they were handed over, rows, and what reached the phones.

Read by `run` from the databases and the stand-ins' logs, counted by `count`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from dev.chaos.ground import Dealer
from dev.servers import MariaDB
from gateway.adapters import ADAPTERS
from gateway.phone import canonical_phone
from gateway.standin.values import Push
from schema.events import EventKind

_RECEIVED = """
    SELECT m.id, m.conversation_id, c.phone, m.conteudo, m.external_id, m.turno
      FROM mensagens m JOIN customers c ON c.id = m.customer_id
     WHERE m.tipo = 'recebida' ORDER BY m.id
"""
_REPLIES = """
    SELECT m.id, m.conversation_id, c.phone, m.conteudo, m.external_id, m.turno, m.status,
           m.decisao IS NOT NULL
      FROM mensagens m JOIN customers c ON c.id = m.customer_id
     WHERE m.tipo = 'enviada' ORDER BY m.id
"""
_OPEN = """
    SELECT (SELECT COUNT(*) FROM mensagens WHERE tipo = 'recebida'),
           (SELECT COUNT(*) FROM mensagens WHERE status IN ('pendente', 'enviando')),
           (SELECT COUNT(*) FROM conversations WHERE responder_em IS NOT NULL)
"""
_PRICE = re.compile(r"R\$ ?([0-9]{1,3}(?:\.[0-9]{3})+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A buyer's message on its way to us. Unix seconds."""

    id: str
    first_at: float
    """When its first attempt began."""
    accepted_at: float | None
    """When the first attempt that was answered 2xx was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A buyer's message in the database."""

    row: int
    conversation: int
    buyer: str
    text: str
    id: str
    turn: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply in the database."""

    row: int
    conversation: int
    buyer: str
    text: str
    id: str | None
    """The gateway's, once it is known."""
    turn: int | None
    status: str
    is_decision: bool
    """The first row of a turn: it has Lucas's reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Something of ours that reached a phone."""

    buyer: str
    text: str
    id: str
    row: int | None
    """The reply's row, where the gateway is told; else it is found by id or words."""
    at: float
    unheard: bool
    """Its answer got lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All about one empresa."""

    dealer: Dealer
    written: Mapping[str, Written]
    received: Sequence[Received]
    answers: Sequence[Answer]
    copies: Sequence[Copy]
    """In the order in which they reached the phone."""

    def strangers(self, prices: Set[int]) -> int:
        """Buyers of other empresas, and prices of theirs that were named to ours."""
        buyers = {message.buyer for message in self.received}
        buyers |= {answer.buyer for answer in self.answers} | {copy.buyer for copy in self.copies}
        named = {int(found.replace(".", "")) for copy in self.copies
                 for found in _PRICE.findall(copy.text)}  # fmt: skip
        foreign = named & prices - {self.dealer.price}
        return sum(not self.dealer.is_buyer(buyer) for buyer in buyers) + len(foreign)


async def read_book(server: MariaDB, dealer: Dealer, written: Sequence[str]) -> Book:
    """As things stand. `written`: ids of what buyers wrote."""
    async with server.connect(dealer.database) as connection, connection.cursor() as cursor:
        await cursor.execute(_RECEIVED)
        received = [
            Received(row=row[0], conversation=row[1], buyer=row[2], text=row[3], id=row[4],
                     turn=row[5])
            for row in await cursor.fetchall()
        ]  # fmt: skip
        await cursor.execute(_REPLIES)
        answers = [
            Answer(row=row[0], conversation=row[1], buyer=row[2], text=row[3] or "", id=row[4],
                   turn=row[5], status=row[6], is_decision=bool(row[7]))
            for row in await cursor.fetchall()
        ]  # fmt: skip
    return Book(
        dealer=dealer,
        written=_handed_over(dealer, written),
        received=received,
        answers=answers,
        copies=_copies(dealer),
    )


async def is_at_rest(server: MariaDB, dealer: Dealer, written: Sequence[str]) -> bool:
    """Whether all that was written is stored, nothing is left to be answered or sent, and the
    gateway has nothing left to repeat."""
    if not dealer.phone.is_idle:
        return False
    async with server.connect(dealer.database) as connection, connection.cursor() as cursor:
        await cursor.execute(_OPEN)
        ((stored, to_send, due),) = await cursor.fetchall()
    return stored >= len(set(written)) and not to_send and not due


def _handed_over(dealer: Dealer, written: Sequence[str]) -> dict[str, Written]:
    attempts: dict[str, list[Push]] = {message_id: [] for message_id in written}
    adapter = ADAPTERS[dealer.phone.kind]
    for push in dealer.phone.pushes:
        for event in adapter.parse(push.body):
            if event.kind is EventKind.TEXT and event.message_id in attempts:
                attempts[event.message_id].append(push)
    return {message_id: _of(message_id, pushes) for message_id, pushes in attempts.items()}


def _of(message_id: str, pushes: Sequence[Push]) -> Written:
    taken = [push.answered_at for push in pushes if 200 <= push.status < 300]
    return Written(
        id=message_id,
        first_at=min((push.begun_at for push in pushes), default=float("inf")),
        accepted_at=min(taken, default=None),
    )


def _copies(dealer: Dealer) -> list[Copy]:
    phone = dealer.phone
    return [
        Copy(
            buyer=_number(sent.to),
            text=sent.text or "",
            id=sent.id,
            row=int(sent.our_ref.rpartition(":")[2]) if sent.our_ref else None,
            at=sent.at,
            unheard=sent.id in phone.unheard,
        )
        for sent in phone.outbox
    ]


def _number(address: str) -> str:
    return canonical_phone(address) or address

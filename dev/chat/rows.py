"""Looks into a dealer's database for the chat and the demo, as that dealer's own user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from bot.dealer_rows import read_cars
from bot.values import Car
from tenancy.pools import TenantPoolManager
from worker.clock import stored

_TALK = """
    SELECT co.id, co.status, co.turno, co.responder_em, co.bot_pausado_ate
      FROM conversations co JOIN customers cu ON cu.id = co.customer_id
     WHERE cu.phone = %(phone)s
     ORDER BY co.id DESC LIMIT 1
"""
_MESSAGES = """
    SELECT m.id, m.conversation_id, m.tipo, m.autor, m.turno, m.status, m.tipo_conteudo,
           m.conteudo, m.midia, m.external_id, m.fatos, m.decisao, m.erro,
           m.recebida_em, m.gravada_em, m.enviada_em
      FROM mensagens m JOIN customers cu ON cu.id = m.customer_id
     WHERE cu.phone = %(phone)s
     ORDER BY m.id
"""
_COUNTS = """
    SELECT (SELECT COUNT(*) FROM cars), (SELECT COUNT(*) FROM car_images),
           (SELECT COUNT(*) FROM customers), (SELECT COUNT(*) FROM conversations),
           (SELECT COUNT(*) FROM mensagens WHERE tipo = 'recebida'),
           (SELECT COUNT(*) FROM mensagens WHERE tipo = 'enviada'),
           (SELECT COUNT(*) FROM agendamentos)
"""
TABLES = (
    "cars", "car_images", "customers", "conversations", "mensagens recebidas",
    "mensagens enviadas", "agendamentos",
)  # fmt: skip
"""What `counts` counts, in its order."""
_LOOK_EVERY_S = 0.05
_OPEN = frozenset({"pendente", "enviando"})


class NotAnswered(Exception):
    """The turn did not come to its end in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkRow:
    """A conversation: which turn was taken last, and when the next one is due."""

    id: int
    status: str
    turn: int
    due_at: datetime | None
    paused_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A row of `mensagens`. Times are in UTC, with their zone."""

    id: int
    conversation_id: int
    received: bool
    author: str | None
    turn: int | None
    status: str | None
    kind: str | None
    text: str | None
    media: str | None
    external_id: str | None
    car_ids: tuple[int, ...]
    """The cars that it states something of."""
    decision: dict[str, object] | None
    error: str | None
    arrived_at: datetime | None
    stored_at: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an answer has come."""

    turn: list[MessageRow]
    """The messages of the turn so far; none while the buyer's is not stored."""
    due_at: datetime | None
    """When Lucas will answer, unless more comes; None when nothing is due."""
    over: bool
    """Taken, and what there was to send is delivered."""

    def left_s(self) -> float:
        """How long Lucas will still wait for more; 0 when he does not."""
        if self.due_at is None:
            return 0
        return max((self.due_at - datetime.now(UTC)).total_seconds(), 0)


class Rows:
    """One dealer's database. Raises what its pool raises."""

    def __init__(self, pools: TenantPoolManager, empresa_id: int) -> None:
        self._pools = pools
        self._empresa_id = empresa_id

    async def talk(self, phone: str) -> TalkRow | None:
        """The newest conversation with this phone; None until a message is stored."""
        async with self._pools.connection(self._empresa_id) as conn:
            row = await conn.fetch_one(_TALK, {"phone": phone})
        if row is None:
            return None
        return TalkRow(
            id=row[0],
            status=row[1],
            turn=row[2],
            due_at=stored(row[3]),
            paused_until=stored(row[4]),
        )

    async def messages(self, phone: str) -> list[MessageRow]:
        """All messages to and from this phone, in order."""
        async with self._pools.connection(self._empresa_id) as conn:
            found = await conn.fetch_dicts(_MESSAGES, {"phone": phone})
        return [_message(row) for row in found]

    async def cars(self) -> list[Car]:
        """The stock as Lucas reads it."""
        async with self._pools.connection(self._empresa_id) as conn:
            return await read_cars(conn)

    async def counts(self) -> tuple[int, ...]:
        """How many rows each of TABLES has."""
        async with self._pools.connection(self._empresa_id) as conn:
            return tuple(await conn.fetch_one(_COUNTS) or ())

    async def progress(self, phone: str, message_id: str) -> Progress:
        """How far the answer to a message has come."""
        talk, messages = await self.talk(phone), await self.messages(phone)
        turn = turn_of(messages, message_id)
        over = bool(turn) and talk is not None and _is_over(turn, talk)
        return Progress(turn=turn, due_at=None if talk is None else talk.due_at, over=over)

    async def stored(self, phone: str, message_id: str, *, timeout_s: float) -> Progress:
        """Once the message is in the database. Raises NotAnswered."""
        return await self._until(phone, message_id, lambda p: bool(p.turn), timeout_s)

    async def answered(self, phone: str, message_id: str, *, timeout_s: float) -> list[MessageRow]:
        """The rows of the turn that answers this message, once all its replies are delivered.

        Raises NotAnswered.
        """
        return (await self._until(phone, message_id, lambda p: p.over, timeout_s)).turn

    async def _until(
        self, phone: str, message_id: str, holds: Callable[[Progress], bool], timeout_s: float
    ) -> Progress:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    progress = await self.progress(phone, message_id)
                    if holds(progress):
                        return progress
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            raise NotAnswered(f"o Lucas não respondeu em {timeout_s:.0f} s") from None


def turn_of(messages: Sequence[MessageRow], message_id: str) -> list[MessageRow]:
    """All messages of the turn that this one belongs to; none while it is not stored."""
    asked = next((row for row in messages if row.external_id == message_id), None)
    if asked is None:
        return []
    key = (asked.conversation_id, asked.turn)
    return [row for row in messages if (row.conversation_id, row.turn) == key]


def decision_of(turn: Sequence[MessageRow]) -> dict[str, object]:
    """Why Lucas answered as he did; empty until he has decided."""
    return next((row.decision for row in reversed(turn) if row.decision is not None), {})


def replies_of(turn: Sequence[MessageRow]) -> list[MessageRow]:
    """What goes to the buyer; withdrawn replies are none."""
    return [row for row in turn if not row.received and row.status != "cancelada"]


def _is_over(turn: Sequence[MessageRow], talk: TalkRow) -> bool:
    """Taken, not due again, and every bubble's delivery reported."""
    taken = talk.due_at is None and talk.turn >= (turn[0].turn or 0)
    return taken and all(row.status not in {*_OPEN, "enviada"} for row in replies_of(turn))


def _message(row: dict[str, object]) -> MessageRow:
    return MessageRow(
        id=_whole(row["id"]),
        conversation_id=_whole(row["conversation_id"]),
        received=row["tipo"] == "recebida",
        author=_text(row["autor"]),
        turn=None if row["turno"] is None else _whole(row["turno"]),
        status=_text(row["status"]),
        kind=_text(row["tipo_conteudo"]),
        text=_text(row["conteudo"]),
        media=_text(row["midia"]),
        external_id=_text(row["external_id"]),
        car_ids=tuple(fact["car_id"] for fact in orjson.loads(_text(row["fatos"]) or "[]")),
        decision=orjson.loads(_text(row["decisao"]) or "null"),
        error=_text(row["erro"]),
        arrived_at=_time(row["recebida_em"]),
        stored_at=_time(row["gravada_em"]),
        sent_at=_time(row["enviada_em"]),
    )


def _whole(value: object) -> int:
    return int(str(value))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _time(value: object) -> datetime | None:
    return stored(value) if isinstance(value, datetime) else None

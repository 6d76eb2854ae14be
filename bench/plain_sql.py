"""The baseline's statements: the product's own, for one message. Called by `bench.plain_arq`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pymysql.err import IntegrityError

from bot.values import Bubble, Car, Decision
from schema.events import Event

_FIND = """
    SELECT cu.id, cu.name, co.id, co.status, co.estado, co.turno
      FROM customers cu JOIN conversations co ON co.id = (
           SELECT MAX(x.id) FROM conversations x
            WHERE x.customer_id = cu.id AND x.status <> 'fechado')
     WHERE cu.phone = %(phone)s FOR UPDATE
"""
_OPEN_CUSTOMER = """
    INSERT INTO customers (phone, name) VALUES (%(phone)s, %(name)s)
    ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)
"""
_OPEN_CONVERSATION = """
    INSERT INTO conversations (customer_id, status, last_interaction)
    VALUES (%(customer)s, 'novo', %(now)s)
"""
_INSERT = """
    INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo, timestamp, external_id,
                           canal_id, autor, status, tipo_conteudo, midia, citada, endereco, turno,
                           fatos, decisao, recebida_em, gravada_em)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_CARS = """
    SELECT id, brand, model, year, year_model, price, mileage, color, fuel_type, transmission,
           description, status
      FROM cars ORDER BY created_at DESC, id DESC
"""
_PHOTOS = """
    SELECT car_id, url FROM car_images WHERE url IS NOT NULL
     ORDER BY car_id, is_principal DESC, ordem, id
"""
_SAVE = """
    UPDATE conversations
       SET status = %(status)s, last_message = %(last)s, last_interaction = %(now)s,
           estado = %(estado)s, turno = %(turn)s, canal_id = %(channel)s, endereco = %(address)s
     WHERE id = %(conversation)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The buyer and his conversation, as they were found."""

    customer: int
    name: str | None
    conversation: int
    status: str
    estado: str | None
    turno: int


class Statements:
    """Of one transaction; each a round trip or two, as anyone would write them."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def find_or_open(self, event: Event, now: datetime) -> Known:
        """The buyer's row is locked from here to the end of the transaction."""
        if (known := await self._find(event)) is not None:
            return known
        await self._cursor.execute(_OPEN_CUSTOMER, {"phone": event.phone, "name": event.push_name})
        customer = self._cursor.lastrowid
        if (known := await self._find(event)) is not None:
            return known  # another job of the same buyer was faster
        await self._cursor.execute(_OPEN_CONVERSATION, {"customer": customer, "now": _utc(now)})
        return Known(
            customer=customer,
            name=event.push_name,
            conversation=self._cursor.lastrowid,
            status="novo",
            estado=None,
            turno=0,
        )

    async def store(
        self, known: Known, event: Event, channel: int, turn: int, now: datetime
    ) -> bool:
        """False when the unique key says that the message is there already."""
        try:
            await self._cursor.execute(
                _INSERT,
                (known.conversation, known.customer, "recebida", event.text, _utc(now),
                 event.message_id, channel, "comprador", None, event.kind.value, None, None, None,
                 turn, None, None, _utc(now), _utc(now)),
            )  # fmt: skip
        except IntegrityError:
            return False
        return True

    async def cars(self) -> list[Car]:
        """The stock with its photos."""
        await self._cursor.execute(_PHOTOS)
        photos: dict[int, list[str]] = {}
        for car_id, url in await self._cursor.fetchall():
            photos.setdefault(car_id, []).append(url)
        await self._cursor.execute(_CARS)
        return [
            Car(id=row[0], marca=row[1], modelo=row[2], ano=row[3], ano_modelo=row[4],
                preco=row[5], km=row[6], cor=row[7], combustivel=row[8], cambio=row[9],
                descricao=row[10], status=row[11], fotos=tuple(photos.get(row[0], ())))
            for row in await self._cursor.fetchall()
        ]  # fmt: skip

    async def reply(
        self, known: Known, event: Event, channel: int, turn: int, decision: Decision, now: datetime
    ) -> None:
        """All bubbles with one statement."""
        why = orjson.dumps(
            {
                "rule": decision.rule,
                "understood": decision.understood,
                "considered": decision.considered,
            }
        ).decode()
        rows = [
            (known.conversation, known.customer, "enviada", bubble.text, _utc(now), None, channel,
             "lucas", "pendente", bubble.kind.value, bubble.media_url, None, event.reply_to, turn,
             _facts(bubble), why if place == 0 else None, None, _utc(now))
            for place, bubble in enumerate(decision.bubbles)
        ]  # fmt: skip
        if rows:
            await self._cursor.executemany(_INSERT, rows)

    async def save(
        self, known: Known, event: Event, channel: int, turn: int, decision: Decision, now: datetime
    ) -> None:
        """The conversation as it is after the turn."""
        said = decision.bubbles[-1].text if decision.bubbles else event.text
        await self._cursor.execute(
            _SAVE,
            {
                "status": decision.status,
                "last": said,
                "now": _utc(now),
                "estado": orjson.dumps(decision.state).decode(),
                "turn": turn,
                "channel": channel,
                "address": event.reply_to,
                "conversation": known.conversation,
            },
        )

    async def _find(self, event: Event) -> Known | None:
        await self._cursor.execute(_FIND, {"phone": event.phone})
        row = await self._cursor.fetchone()
        if row is None:
            return None
        customer, name, conversation, status, estado, turno = row
        return Known(customer=customer, name=name, conversation=conversation, status=status,
                     estado=estado, turno=turno)  # fmt: skip


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def _facts(bubble: Bubble) -> str | None:
    if not bubble.facts:
        return None
    return orjson.dumps(
        [
            {"car_id": fact.car_id, "preco": str(fact.preco), "status": fact.status}
            for fact in bubble.facts
        ]
    ).decode()

"""The rows that the product writes, with as few statements as they can be. Called by `bench.limit`.

Nothing that makes the product safe: no fence, no second look at what is stored, no quiet window.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from bench.answers import TRIVIAL
from schema.events import Event

_CUSTOMERS = "SELECT phone, id FROM customers WHERE phone IN ({})"
_NEW_CUSTOMERS = "INSERT INTO customers (phone, name) VALUES (%s, %s)"
_CONVERSATIONS = """
    SELECT customer_id, id, turno FROM conversations
     WHERE customer_id IN ({}) AND status <> 'fechado'
"""
# Placeholders only: with a literal among the values the driver sends one statement for each row.
_NEW_CONVERSATIONS = (
    "INSERT INTO conversations (customer_id, status, last_interaction) VALUES (%s, %s, %s)"
)
_INSERT = """
    INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo, timestamp, external_id,
                           canal_id, autor, status, tipo_conteudo, endereco, turno, decisao,
                           recebida_em, gravada_em)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE = """
    INSERT INTO conversations (id, customer_id, status, last_message, last_interaction, estado,
                               turno, canal_id, endereco)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON DUPLICATE KEY UPDATE status = VALUES(status), last_message = VALUES(last_message),
        last_interaction = VALUES(last_interaction), estado = VALUES(estado),
        turno = VALUES(turno), canal_id = VALUES(canal_id), endereco = VALUES(endereco)
"""
_WHY = orjson.dumps({"rule": TRIVIAL.rule, "understood": {}, "considered": []}).decode()
_STATE = orjson.dumps(TRIVIAL.state).decode()
_SAID = TRIVIAL.bubbles[0].text


class MultiRow:
    """The statements of one transaction; the caller commits."""

    def __init__(self, cursor: Any, channel: int) -> None:
        self._cursor = cursor
        self._channel = channel

    async def store_and_answer(self, events: Sequence[Event], now: datetime) -> None:
        """One answer for each buyer, as the product gives it to a burst."""
        at = now.replace(tzinfo=None)
        by_phone = await self._customers(list({event.phone: None for event in events}))
        talks = await self._conversations(list(by_phone.values()), at)
        rows, answers, saved = [], [], []
        for event in events:
            customer = by_phone[event.phone]
            talk, turn = talks[customer]
            rows.append(
                (talk, customer, "recebida", event.text, at, event.message_id, self._channel,
                 "comprador", None, event.kind.value, None, turn + 1, None, at, at)
            )  # fmt: skip
        for event in {event.phone: event for event in events}.values():
            customer = by_phone[event.phone]
            talk, turn = talks[customer]
            answers.append(
                (talk, customer, "enviada", _SAID, at, None, self._channel, "lucas", "pendente",
                 "text", event.reply_to, turn + 1, _WHY, None, at)
            )  # fmt: skip
            saved.append((talk, customer, TRIVIAL.status, _SAID, at, _STATE, turn + 1,
                          self._channel, event.reply_to))  # fmt: skip
        await self._cursor.executemany(_INSERT, rows + answers)
        await self._cursor.executemany(_SAVE, saved)

    async def _customers(self, phones: list[str | None]) -> dict[str | None, int]:
        known = await self._ask(_CUSTOMERS, phones)
        found = {row[0]: row[1] for row in known}
        missing = [phone for phone in phones if phone not in found]
        if missing:
            await self._cursor.executemany(
                _NEW_CUSTOMERS, [(phone, "Ana Souza") for phone in missing]
            )
            found |= {row[0]: row[1] for row in await self._ask(_CUSTOMERS, missing)}
        return found

    async def _conversations(
        self, customers: list[int], at: datetime
    ) -> dict[int, tuple[int, int]]:
        """(id, number of the last turn) by customer."""
        found = {row[0]: row[1:] for row in await self._ask(_CONVERSATIONS, customers)}
        missing = [customer for customer in customers if customer not in found]
        if missing:
            await self._cursor.executemany(
                _NEW_CONVERSATIONS, [(customer, "novo", at) for customer in missing]
            )
            found |= {row[0]: row[1:] for row in await self._ask(_CONVERSATIONS, missing)}
        return found

    async def _ask(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        await self._cursor.execute(sql.format(", ".join(["%s"] * len(values))), values)
        return list(await self._cursor.fetchall())

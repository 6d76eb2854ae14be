"""Reads and writes rows of `mensagens` for the drain. Called by intake and turns.

Whether a message is new is asked of the unique key (canal_id, external_id): the fence lets one
worker at a time write here, so what is not there now is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import NamedTuple

import orjson

from bot.values import Incoming, Origin
from schema.events import EventKind
from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.details import details_of

_STORED = """
    SELECT external_id FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s
"""
_STORED_OR_CHANGED = """
    SELECT external_id, NULL, NULL, NULL FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s
     UNION ALL
    SELECT external_id, id, evento, NULL FROM _early_changes
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s
     UNION ALL
    SELECT NULL, NULL, NULL, MIN(responder_em) FROM conversations WHERE responder_em IS NOT NULL
"""
_INSERT = """
    INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo, timestamp, external_id,
                           canal_id, autor, status, tipo_conteudo, turno, gravada_em, midia, citada,
                           endereco, fatos, decisao, recebida_em, detalhes, midia_em, origem)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_UNANSWERED = """
    SELECT m.conversation_id, m.tipo_conteudo, COALESCE(m.conteudo, m.transcricao), m.canal_id,
           m.citada, m.detalhes, m.origem
      FROM mensagens m
     WHERE (m.conversation_id, m.turno) IN %(turns)s AND m.tipo = 'recebida'
       AND m.apagada_em IS NULL
     ORDER BY m.id
"""
_REPLIES_OF_LAST_TURN = """
    SELECT m.conversation_id, m.id, m.status
      FROM mensagens m
      JOIN conversations c ON c.id = m.conversation_id AND m.turno = c.turno
     WHERE c.id IN %(conversations)s AND m.tipo = 'enviada' AND m.autor = 'lucas'
       AND m.status <> 'cancelada'
       FOR UPDATE
"""
# By way of the ids: the delivery locks a row by its primary key, and so must we, or each would wait
# for what the other holds.
_OPEN_REPLIES = """
    SELECT id FROM mensagens FORCE INDEX (idx_turno)
     WHERE conversation_id IN %(conversations)s AND status IN ('pendente', 'enviando')
"""
_WITHDRAW_OPEN = """
    UPDATE mensagens SET status = 'cancelada'
     WHERE id IN %(ids)s AND status IN ('pendente', 'enviando')
"""
_EXPLAIN = """
    UPDATE mensagens SET decisao = %(decision)s
     WHERE conversation_id = %(conversation)s AND turno = %(turn)s AND tipo = 'recebida'
"""
_FAILED = """
    UPDATE mensagens SET erro = %(error)s
     WHERE conversation_id = %(conversation)s AND turno = %(turn)s AND tipo = 'recebida'
"""
_QUOTED_FACTS = """
    SELECT external_id, fatos FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s AND fatos IS NOT NULL
"""
_TEXT_BYTES = 65_535
_CUT_MARK = " […]"


class NewMessage(NamedTuple):
    """A row to insert, in the order of the statement's columns. Times are with a zone."""

    conversation_id: int
    customer_id: int
    tipo: str
    conteudo: str | None
    at: datetime
    external_id: str | None
    canal_id: int | None
    autor: str
    status: str | None
    tipo_conteudo: str
    turno: int | None
    """None: no turn answers it."""
    gravada_em: datetime
    midia: str | None = None
    citada: str | None = None
    endereco: str | None = None
    fatos: str | None = None
    decisao: str | None = None
    recebida_em: datetime | None = None
    detalhes: str | None = None
    midia_em: datetime | None = None
    """When its file is to be fetched; None: it has none."""
    origem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A message of the buyer that a turn has to answer."""

    conversation_id: int
    canal_id: int | None
    citada: str | None
    kind: EventKind
    text: str | None
    """What he wrote, or what his audio was heard to say."""
    option_id: str | None
    origem: str | None

    def incoming(self, quoted_car_id: int | None) -> Incoming:
        """As Lucas takes it."""
        return Incoming(
            kind=self.kind,
            text=self.text,
            quoted_car_id=quoted_car_id,
            option_id=self.option_id,
            origin=origin_of(self.origem),
        )


@dataclass(slots=True)
class Known:
    """What the database says of a batch of messages."""

    stored: set[tuple[int, str]] = field(default_factory=set)
    """Those that it has: canal_id and external_id."""
    early: list[tuple[int, int, str]] = field(default_factory=list)
    """What came before its message: (row of it, channel, event)."""
    first_due: datetime | None = None
    """When the first turn of all conversations is due."""


async def stored_ids(
    conn: TenantConnection, ids_by_channel: dict[int, list[str]]
) -> set[tuple[int, str]]:
    """Which of these (canal_id, external_id) are in the database already."""
    found: set[tuple[int, str]] = set()
    for channel, ids in ids_by_channel.items():
        rows = await conn.fetch_all(_STORED, {"channel": channel, "ids": ids})
        found.update((channel, row[0]) for row in rows)
    return found


async def known_of(conn: TenantConnection, ids_by_channel: dict[int, list[str]]) -> Known:
    """What a batch has to know before anything of it is stored."""
    known = Known()
    for channel, ids in ids_by_channel.items():
        for id_, row, change, due in await conn.fetch_all(
            _STORED_OR_CHANGED, {"channel": channel, "ids": ids}
        ):
            if change is not None:
                known.early.append((row, channel, change))
            elif id_ is not None:
                known.stored.add((channel, id_))
            else:
                known.first_due = stored(due)
    return known


async def insert(conn: TenantConnection, messages: Sequence[NewMessage]) -> None:
    """Stores messages in their order with one statement. Raises DuplicateKey, BadData."""
    await conn.execute_many(_INSERT, [_fitting_row(message) for message in messages])


def insert_later(conn: TenantConnection, messages: Sequence[NewMessage]) -> None:
    """The same in a transaction, on the way of its next statement."""
    conn.later_many(_INSERT, [_fitting_row(message) for message in messages])


async def unanswered(
    conn: TenantConnection, turns: Mapping[int, int]
) -> dict[int, list[Unanswered]]:
    """What buyers wrote for these turns (number by conversation), in order."""
    found: dict[int, list[Unanswered]] = {conversation: [] for conversation in turns}
    for row in await conn.fetch_all(_UNANSWERED, {"turns": list(turns.items())}):
        conversation, kind, text, channel, quoted, details, origin = row
        found[conversation].append(
            Unanswered(
                conversation_id=conversation,
                canal_id=channel,
                citada=quoted,
                kind=EventKind(kind),
                text=text,
                option_id=details_of(details).option_id,
                origem=origin,
            )
        )
    return found


async def withdraw_unsent(
    conn: TenantConnection, conversations: Sequence[int], *, and_unconfirmed: bool = False
) -> set[int]:
    """Withdraws the last turn's replies where none of them has been handed to the gateway.

    `and_unconfirmed`: those count as not handed over of which nobody knows. Returns the
    conversations whose last turn is thereby undone.
    """
    rows = await conn.fetch_all(_REPLIES_OF_LAST_TURN, {"conversations": list(conversations)})
    unsaid = {"pendente", "enviando"} if and_unconfirmed else {"pendente"}
    started = {conversation for conversation, _, status in rows if status not in unsaid}
    unsent = [(conversation, reply) for conversation, reply, _ in rows
              if conversation not in started]  # fmt: skip
    if unsent:
        await conn.execute(_WITHDRAW_OPEN, {"ids": [reply for _, reply in unsent]})
    return {conversation for conversation, _ in unsent}


async def withdraw_all(conn: TenantConnection, conversations: Iterable[int]) -> None:
    """Withdraws every reply that the gateway has not confirmed.

    One that is under way right now becomes `enviada` when it did go out, and is never tried again.
    """
    rows = await conn.fetch_all(_OPEN_REPLIES, {"conversations": list(conversations)})
    if rows:
        await conn.execute(_WITHDRAW_OPEN, {"ids": [row[0] for row in rows]})


async def explain(conn: TenantConnection, conversation: int, turn: int, decision: str) -> None:
    """Writes why a turn has no reply to the messages that it would have answered."""
    await conn.execute(_EXPLAIN, {"decision": decision, "conversation": conversation, "turn": turn})


async def mark_failed(conn: TenantConnection, conversation: int, turn: int, error: str) -> None:
    """Writes what went wrong to the messages that could not be answered."""
    await conn.execute(_FAILED, {"error": error, "conversation": conversation, "turn": turn})


async def quoted_facts(
    conn: TenantConnection, quoted: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], str]:
    """The facts (JSON) of our own messages that buyers quoted."""
    by_channel: dict[int, list[str]] = {}
    for channel, external_id in quoted:
        by_channel.setdefault(channel, []).append(external_id)
    found: dict[tuple[int, str], str] = {}
    for channel, ids in by_channel.items():
        rows = await conn.fetch_all(_QUOTED_FACTS, {"channel": channel, "ids": ids})
        found.update({(channel, external_id): facts for external_id, facts in rows})
    return found


def origin_of(origem: str | None) -> Origin | None:
    """What brought a buyer, as `mensagens.origem` has it."""
    if origem is None:
        return None
    told = orjson.loads(origem)
    names = (part.name for part in fields(Origin))
    return Origin(**{name: told[name] for name in names if isinstance(told.get(name), str)})


def fitting(text: str | None) -> str | None:
    """The text as the TEXT column can hold it: 64 KiB, cut with a mark."""
    if text is None or len(text) * 4 <= _TEXT_BYTES:
        return text
    raw = text.encode()
    if len(raw) <= _TEXT_BYTES:
        return text
    kept = raw[: _TEXT_BYTES - len(_CUT_MARK.encode())]
    return kept.decode(errors="ignore") + _CUT_MARK


def _fitting_row(message: NewMessage) -> NewMessage:
    text = fitting(message.conteudo)
    return message if text is message.conteudo else message._replace(conteudo=text)

"""Reads what a dealer's database knows of a message and its turn. Called by `search`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.details import details_of

_COLUMNS = """
    SELECT id, conversation_id, tipo, autor, status, tipo_conteudo, conteudo, timestamp,
           external_id, canal_id, turno, fatos, decisao, erro, tentativas, tentar_em, recebida_em,
           gravada_em, enviada_em, detalhes, transcricao, midia_em, midia_tipo, midia_bytes,
           midia_onde, midia_erro, apagada_em, editada_em, incertas
      FROM mensagens
"""
_BY_ID = _COLUMNS + " WHERE id = %(id)s"
_BY_GATEWAYS_ID = _COLUMNS + " WHERE canal_id IN %(channels)s AND external_id = %(id)s ORDER BY id"
_OF_TURN = (
    _COLUMNS
    + " WHERE conversation_id = %(conversation)s AND turno = %(turn)s ORDER BY id LIMIT 200"
)
_TALK = """
    SELECT turno, responder_em FROM conversations WHERE id = %(id)s
"""
_CARS = "SELECT id, brand, model, status FROM cars WHERE id IN %(ids)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of `mensagens`. Times are with a zone."""

    id: int
    conversation_id: int
    received: bool
    author: str | None
    status: str | None
    kind: str
    text: str | None = field(repr=False)
    written_at: datetime | None
    external_id: str | None = field(repr=False)
    canal_id: int | None
    turn: int | None
    decision: Mapping[str, Any]
    error: str | None = field(repr=False)
    tries: int
    unknown: int
    """Sends of it whose result nobody knows."""
    next_try: datetime | None
    taken_at: datetime | None
    """When the inbox took it, which is when the webhook was answered."""
    stored_at: datetime | None
    """When it was stored, or decided."""
    sent_at: datetime | None
    reported: Mapping[str, int]
    """When which step of its delivery was reported (unix milliseconds)."""
    file: str | None
    """What became of its file, in words."""
    deleted_at: datetime | None
    edited_at: datetime | None

    @property
    def by_lucas(self) -> bool:
        """A reply, not a seller's own message."""
        return not self.received and self.author != "vendedor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What its conversation says now."""

    turn: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A message, with all rows of its turn (itself too) in the order of their ids."""

    empresa_id: int
    message: Row
    turn: Sequence[Row]
    talk: Talk | None
    cars: Mapping[int, str]
    """Names of the cars that were considered, as far as they still exist."""


async def by_id(conn: TenantConnection, mensagem_id: int) -> list[Story]:
    """One, or none."""
    return await _stories(conn, await conn.fetch_dicts(_BY_ID, {"id": mensagem_id}))


async def by_gateways_id(
    conn: TenantConnection, channels: Sequence[int], external_id: str
) -> list[Story]:
    """One for each channel that has a message of this id."""
    if not channels:
        return []
    told = {"channels": list(channels), "id": external_id}
    return await _stories(conn, await conn.fetch_dicts(_BY_GATEWAYS_ID, told))


async def _stories(conn: TenantConnection, found: Iterable[dict[str, Any]]) -> list[Story]:
    stories = []
    for message in map(_row, found):
        turn = [message]
        if message.turn is not None:
            asked = {"conversation": message.conversation_id, "turn": message.turn}
            turn = [_row(row) for row in await conn.fetch_dicts(_OF_TURN, asked)]
        stories.append(
            Story(
                empresa_id=conn.empresa_id,
                message=message,
                turn=turn,
                talk=await _talk(conn, message.conversation_id),
                cars=await _cars(conn, turn),
            )
        )
    return stories


async def _talk(conn: TenantConnection, conversation_id: int) -> Talk | None:
    for turn, due_at in await conn.fetch_all(_TALK, {"id": conversation_id}):
        return Talk(turn=turn, due_at=stored(due_at))
    return None


async def _cars(conn: TenantConnection, turn: Sequence[Row]) -> dict[int, str]:
    ids = {
        id_ for row in turn for id_ in row.decision.get("considered") or () if isinstance(id_, int)
    }
    if not ids:
        return {}
    rows = await conn.fetch_all(_CARS, {"ids": sorted(ids)})
    return {
        id_: f"{brand or ''} {model or ''}".strip()
        + ("" if status == "available" else f", {status}")
        for id_, brand, model, status in rows
    }


def _row(row: Mapping[str, Any]) -> Row:
    return Row(
        id=row["id"],
        conversation_id=row["conversation_id"],
        received=row["tipo"] == "recebida",
        author=row["autor"],
        status=row["status"],
        kind=row["tipo_conteudo"] or "text",
        text=row["conteudo"] if row["conteudo"] is not None else row["transcricao"],
        written_at=stored(row["timestamp"]),
        external_id=row["external_id"],
        canal_id=row["canal_id"],
        turn=row["turno"],
        decision=_json_object(row["decisao"]),
        error=row["erro"],
        tries=row["tentativas"],
        unknown=row["incertas"],
        next_try=stored(row["tentar_em"]),
        taken_at=stored(row["recebida_em"]),
        stored_at=stored(row["gravada_em"]),
        sent_at=stored(row["enviada_em"]),
        reported=details_of(row["detalhes"]).passos,
        file=_file(row),
        deleted_at=stored(row["apagada_em"]),
        edited_at=stored(row["editada_em"]),
    )


def _file(row: Mapping[str, Any]) -> str | None:
    if row["midia_onde"]:
        return f"kept: {row['midia_tipo']}, {row['midia_bytes']} bytes"
    if row["midia_erro"]:
        return f"not kept: {row['midia_erro']}"
    due = stored(row["midia_em"])
    return None if due is None else f"is fetched at {due:%H:%M:%S} UTC"


def _json_object(text: str | None) -> Mapping[str, Any]:
    """What another release wrote there may be no object: then nothing is known."""
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}

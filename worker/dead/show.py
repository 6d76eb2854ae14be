"""One dead letter for a person's eyes, personal data masked unless asked for. Called by the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from schema.errors import HelixError
from tenancy.lease import TenantConnection
from tenancy.start import Tenancy
from worker.clock import from_ms
from worker.dead.letter import Letter

Facts = dict[str, object]

# Fields of an event that say nothing of the buyer; every other one, a new one too, is personal.
_IMPERSONAL = frozenset(
    {"kind", "channel", "timestamp", "from_me", "status", "error_code", "gateway", "mime_type"}
)
_REPLY = """
    SELECT conversation_id, status, tipo_conteudo, conteudo, erro, tentativas, gravada_em
      FROM mensagens WHERE id = %(id)s
"""
_MESSAGES = """
    SELECT id, tipo_conteudo, conteudo, erro, recebida_em FROM mensagens
     WHERE conversation_id = %(id)s AND tipo = 'recebida' AND erro IS NOT NULL
     ORDER BY id DESC LIMIT 50
"""


async def whole(letter: Letter, tenancy: Tenancy, *, personal: bool) -> Facts:
    """All that is known of it, with the rows of the dealer's database that it is about."""
    facts: Facts = {
        "id": str(letter.id),
        "group": letter.group,
        "kind": letter.kind.value,
        "empresa": letter.empresa_id,
        "at": from_ms(letter.at_ms).isoformat(timespec="milliseconds"),
        "cause": letter.cause,
    }
    if personal:  # the cause is what of the error holds nothing of the buyer
        facts["error"] = letter.error
    if letter.tries:
        facts["tries"] = [
            {
                "at": from_ms(at_ms).isoformat(timespec="milliseconds"),
                **({"error": error} if personal else {}),
            }
            for at_ms, error in letter.tries
        ]
    if letter.canal_id is not None:
        facts["canal"] = letter.canal_id
    if letter.event is not None:
        facts["event"] = _event(letter.event, personal)
    if letter.body is not None:
        facts["body"] = _text(letter.body.decode(errors="replace"), personal)
    if letter.empresa_id is not None:
        facts |= await _rows(letter, letter.empresa_id, tenancy, personal)
    return facts


def _event(raw: bytes, personal: bool) -> object:
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        event = None
    if not isinstance(event, Mapping):
        return _text(raw.decode(errors="replace"), personal)
    return {
        name: value if personal or name in _IMPERSONAL else _hidden(value)
        for name, value in event.items()
    }


def _hidden(value: object) -> str | None:
    return None if value is None else _text(str(value), False)


def _text(text: str | None, personal: bool) -> str | None:
    return text if personal or text is None else f"({len(text)} characters)"


async def _rows(letter: Letter, empresa_id: int, tenancy: Tenancy, personal: bool) -> Facts:
    if letter.conversation_id is None and letter.mensagem_id is None:
        return {}
    facts: Facts = {}
    try:
        async with tenancy.pools.connection(empresa_id) as conn:
            if letter.conversation_id is not None:
                facts["conversation"] = letter.conversation_id
                facts["unanswered"] = await _messages(conn, letter.conversation_id, personal)
            if letter.mensagem_id is not None:
                facts["mensagem"] = letter.mensagem_id
                facts["reply"] = await _reply(conn, letter.mensagem_id, personal)
    except HelixError as error:  # the letter itself is worth seeing without them
        facts["rows"] = f"cannot be read now: {error}"
    return facts


async def _messages(conn: TenantConnection, conversation_id: int, personal: bool) -> list[Facts]:
    rows = await conn.fetch_all(_MESSAGES, {"id": conversation_id})
    return [
        {
            "id": row[0],
            "kind": row[1],
            "text": _text(row[2], personal),
            "error": _text(row[3], personal),
            "at": _time(row[4]),
        }
        for row in reversed(rows)
    ]


async def _reply(conn: TenantConnection, mensagem_id: int, personal: bool) -> Facts | None:
    row = await conn.fetch_one(_REPLY, {"id": mensagem_id})
    if row is None:
        return None
    return {
        "conversation": row[0],
        "status": row[1],
        "kind": row[2],
        "text": _text(row[3], personal),
        "error": _text(row[4], personal),
        "tries": row[5],
        "at": _time(row[6]),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")

"""Notes in a conversation what a turn tells the sellers: a hand-over, an opt-out.

Called by `worker.drain.turns`, by `undo` when the turn is withdrawn, and by `join_talks` when two
conversations become one. Columns of their own, so that a dealer's panel finds them without reading
Lucas's memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from bot.values import Decision
from tenancy.lease import TenantConnection
from worker.drain import reminders
from worker.drain.conversations import Conversation

_SUMMARY = "UPDATE conversations SET resumo = %(summary)s WHERE id = %(id)s"
_CALL = """
    UPDATE conversations SET chamado_por = %(why)s, chamado_em = %(now)s WHERE id = %(id)s
"""
_TOLD = """
    SELECT resumo, chamado_por, chamado_em, sem_avisos FROM conversations WHERE id = %(id)s
       FOR UPDATE
"""
_TELL = """
    UPDATE conversations
       SET resumo = %(summary)s, chamado_por = %(why)s, chamado_em = %(at)s, sem_avisos = %(quiet)s
     WHERE id = %(id)s
"""
_NO_NOTICES = "UPDATE conversations SET sem_avisos = 1 WHERE id = %(id)s"
_NOTED = "aviso"
"""The key of `conversations.turno_anterior` under which the columns before the turn are kept."""


async def note(
    conn: TenantConnection, conversation: Conversation, decision: Decision, *, now: datetime
) -> None:
    """Writes what there is to tell, and how to take it back into `conversation.turno_anterior`.

    Most turns tell nothing.
    """
    if decision.summary is None and decision.handoff is None and decision.opt_out is None:
        return
    before = await _told(conn, conversation.id)
    if decision.summary is not None:
        await conn.execute(_SUMMARY, {"id": conversation.id, "summary": decision.summary})
    if decision.handoff is not None:
        call = {"id": conversation.id, "why": decision.handoff[:40], "now": now}
        await conn.execute(_CALL, call)
    if decision.opt_out is not None:
        await conn.execute(_NO_NOTICES, {"id": conversation.id})
        await reminders.withdraw_in(conn, conversation.id)
    if conversation.turno_anterior is not None:
        kept = {"antes": before, "depois": await _told(conn, conversation.id)}
        memory = orjson.loads(conversation.turno_anterior)
        conversation.turno_anterior = orjson.dumps({**memory, _NOTED: kept}).decode()


async def take_back(conn: TenantConnection, conversation: Conversation) -> bool:
    """Undoes what a withdrawn turn told; call before its memory is undone.

    What a person has changed since stands: each of summary, call and opt-out by itself. True when
    the buyer wants notices again: reminders that went with the opt-out are to be looked for.
    """
    kept = orjson.loads(conversation.turno_anterior or "{}").get(_NOTED)
    if kept is None:
        return False
    before, left = kept["antes"], kept["depois"]
    now = await _told(conn, conversation.id)
    back = {
        key: before[key] if all(now[other] == left[other] for other in group) else now[key]
        for group in (("summary",), ("why", "at"), ("quiet",))
        for key in group
    }
    await conn.execute(_TELL, {**back, "id": conversation.id})
    return bool(now["quiet"]) and not back["quiet"]


async def join(conn: TenantConnection, *, earlier: int, later: int, kept: int) -> None:
    """Two conversations (ids) become the one `kept`, and it tells what either told.

    The last summary and the last call count; who wanted no notices in one wants none.
    """
    both = [await _told(conn, id_) for id_ in (earlier, later)]
    calls = [(told["at"], told["why"]) for told in both if told["at"] is not None]
    at, why = max(calls, key=lambda call: call[0], default=(None, None))
    summaries = [told["summary"] for told in both if told["summary"] is not None]
    values = {
        "summary": summaries[-1] if summaries else None,
        "why": why,
        "at": at,
        "quiet": max(told["quiet"] for told in both),
    }
    await conn.execute(_TELL, {**values, "id": kept})


async def _told(conn: TenantConnection, conversation_id: int) -> dict[str, Any]:
    """The four columns as JSON can hold them; times by their text, which sorts as they do."""
    row: Sequence[Any] | None = await conn.fetch_one(_TOLD, {"id": conversation_id})
    summary, why, at, quiet = row if row is not None else (None, None, None, 0)
    at = None if at is None else at.isoformat(sep=" ", timespec="milliseconds")
    return {"summary": summary, "why": why, "at": at, "quiet": quiet}

"""Notes in a conversation what a turn tells the sellers: a hand-over, an opt-out.

Called by `worker.drain.turns`, and by `join_talks` when two conversations become one. Columns of
their own, so that a dealer's panel finds them without reading Lucas's memory.
"""

from __future__ import annotations

from datetime import datetime

from bot.values import Decision
from tenancy.lease import TenantConnection
from worker.drain import reminders

_SUMMARY = "UPDATE conversations SET resumo = %(summary)s WHERE id = %(id)s"
_CALL = """
    UPDATE conversations SET chamado_por = %(why)s, chamado_em = %(now)s WHERE id = %(id)s
"""
_TOLD = """
    SELECT resumo, chamado_por, chamado_em, sem_avisos FROM conversations WHERE id = %(id)s
"""
_TELL = """
    UPDATE conversations
       SET resumo = %(summary)s, chamado_por = %(why)s, chamado_em = %(at)s, sem_avisos = %(quiet)s
     WHERE id = %(id)s
"""
_NO_NOTICES = "UPDATE conversations SET sem_avisos = 1 WHERE id = %(id)s"


async def note(
    conn: TenantConnection, conversation_id: int, decision: Decision, *, now: datetime
) -> None:
    """Writes what there is to tell; most turns tell nothing."""
    if decision.summary is not None:
        await conn.execute(_SUMMARY, {"id": conversation_id, "summary": decision.summary})
    if decision.handoff is not None:
        call = {"id": conversation_id, "why": decision.handoff[:40], "now": now}
        await conn.execute(_CALL, call)
    if decision.opt_out is not None:
        await conn.execute(_NO_NOTICES, {"id": conversation_id})
        await reminders.withdraw_in(conn, conversation_id)


async def join(conn: TenantConnection, *, earlier: int, later: int, kept: int) -> None:
    """Two conversations (ids) become the one `kept`, and it tells what either told.

    The last summary and the last call count; who wanted no notices in one wants none.
    """
    told = [await conn.fetch_one(_TOLD, {"id": id_}) for id_ in (earlier, later)]
    both = [row for row in told if row is not None]
    calls = [(at, why) for _, why, at, _ in both if at is not None]
    at, why = max(calls, key=lambda call: call[0], default=(None, None))
    summaries = [summary for summary, *_ in both if summary is not None]
    values = {
        "summary": summaries[-1] if summaries else None,
        "why": why,
        "at": at,
        "quiet": max((quiet for *_, quiet in both), default=0),
    }
    await conn.execute(_TELL, {**values, "id": kept})

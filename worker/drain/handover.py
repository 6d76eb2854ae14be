"""Notes in a conversation what a turn tells the sellers: a hand-over, an opt-out.

Called by `worker.drain.turns`. Columns of their own, so that a dealer's
panel finds them without reading Lucas's memory.
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

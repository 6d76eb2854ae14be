"""Takes back a turn whose answer did not leave: what is kept for that, and how it is done.

Called by intake, changes, merge and turns, and by the delivery when an answer is no longer true.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from tenancy.lease import TenantConnection
from worker.drain import agenda, funnel, handover
from worker.drain.conversations import Conversation


def remember_turn(conversation: Conversation, *, leaves: str) -> str:
    """What `undo_turn` needs, as JSON for `conversations.turno_anterior`.

    `leaves`: the status that the turn leaves behind.
    """
    since = conversation.sem_resposta_desde
    return orjson.dumps(
        {
            "estado": conversation.estado,
            "status": conversation.status,
            "ficou": leaves,
            "desde": None if since is None else since.isoformat(),
        }
    ).decode()


async def undo_turn(conn: TenantConnection, conversation: Conversation) -> bool:
    """Sets a conversation back to before its last turn, whose replies are withdrawn.

    With it go its change of the agenda and what it told the sellers, in the caller's transaction.
    True when reminders are to be looked for: an appointment is as it was, or notices are wanted.
    """
    moved = await agenda.take_back(conn, conversation)
    moved |= await handover.take_back(conn, conversation)
    before = orjson.loads(conversation.turno_anterior or "{}")
    conversation.estado = before["estado"]
    if before.get("ficou", conversation.status) == conversation.status:
        conversation.status = before["status"]  # else a person has moved it since: his word stands
        turn, status = conversation.turno, conversation.status
        if await funnel.take_back(conn, conversation.id, turn, status):
            conversation.status_lido = conversation.status_anotado = status
    conversation.turno -= 1
    conversation.turno_anterior = None
    since = before["desde"]
    conversation.sem_resposta_desde = None if since is None else datetime.fromisoformat(since)
    return moved

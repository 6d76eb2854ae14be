"""Puts a reply that had failed back among those to be sent. Called by `worker.dead.replay`.

What it states is compared with the cars when it is sent, as for any reply.
"""

from __future__ import annotations

from datetime import datetime

from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.dead.results import Outcome, Result
from worker.dead.turn import MOVED_ON, TOO_LATE
from worker.fence import after_the_drain

_REPLY = """
    SELECT m.conversation_id, m.status, m.turno, c.status,
           (SELECT MAX(COALESCE(b.recebida_em, b.timestamp)) FROM mensagens b
             WHERE b.conversation_id = m.conversation_id AND b.tipo = 'recebida')
      FROM mensagens m JOIN conversations c ON c.id = m.conversation_id
     WHERE m.id = %(id)s AND m.tipo = 'enviada' FOR UPDATE
"""
_MOVED_ON = """
    SELECT 1 FROM mensagens
     WHERE conversation_id = %(conversation)s AND id > %(id)s
       AND COALESCE(status, '') <> 'cancelada'
       AND (tipo = 'recebida' OR autor = 'vendedor' OR turno > %(turn)s) LIMIT 1
"""
# What is still reported of the send that failed is not about the new one.
_AGAIN = """
    UPDATE mensagens
       SET status = 'pendente', erro = NULL, tentativas = 0, incertas = 0, tentar_em = NULL,
           external_id = NULL, enviada_em = NULL
     WHERE id = %(id)s AND status = 'falhou'
"""


async def send_again(
    conn: TenantConnection, mensagem_id: int, *, now: datetime, plan: bool
) -> Result:
    """In the caller's transaction, after whose commit the delivery is rung. Safe to repeat.

    With `plan` nothing is changed.
    """
    await after_the_drain(conn)
    found = await conn.fetch_one(_REPLY, {"id": mensagem_id})
    if found is None:
        return Result(Outcome.SETTLED, "the reply is no more")
    conversation, status, turn, of_conversation, last_heard = found
    if status != "falhou":
        return Result(Outcome.SETTLED, f"the reply is {status} by now")
    place = {"conversation": conversation, "id": mensagem_id, "turn": turn}
    if of_conversation == "fechado" or await conn.fetch_one(_MOVED_ON, place) is not None:
        return Result(Outcome.STAYS, MOVED_ON)
    heard = stored(last_heard)
    if heard is not None and heard < now - TOO_LATE:
        return Result(Outcome.LATE)
    if not plan:
        await conn.execute(_AGAIN, {"id": mensagem_id})
    return Result(Outcome.REPLAYED, "to be sent again")

"""Lets a turn wait for what an audio says. Called by `worker.drain.transaction`.

The wait is bounded: by then Lucas answers with what he has, and asks for the rest in writing. What
was heard brings the turn forward (`worker.media.rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.drain.conversations import Conversation

_BEING_HEARD = """
    SELECT conversation_id, MIN(recebida_em) FROM mensagens
     WHERE (conversation_id, turno) IN %(turns)s AND tipo = 'recebida'
       AND tipo_conteudo = 'audio' AND midia_em IS NOT NULL
     GROUP BY conversation_id
"""


async def hold_back(
    conn: TenantConnection,
    due: Sequence[Conversation],
    *,
    now: datetime,
    wait: timedelta | None,
) -> set[int]:
    """Puts off turns with an audio that is being heard; ids of their conversations.

    `wait`: how long after its arrival; None: nobody hears here.
    """
    if wait is None or not due:
        return set()
    turns = [(conversation.id, conversation.turno + 1) for conversation in due]
    rows = await conn.fetch_all(_BEING_HEARD, {"turns": turns})
    arrived = {conversation: stored(at) for conversation, at in rows}
    held: set[int] = set()
    for conversation in due:
        since = arrived.get(conversation.id)
        if since is not None and since + wait > now:
            conversation.responder_em = since + wait
            held.add(conversation.id)
    return held

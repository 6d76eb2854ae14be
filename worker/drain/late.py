"""Leaves turns to a person that come too late for an answer. Called by `worker.drain.transaction`.

A dealer was paused for days, or his database was away: the messages were stored before that, and
their turn is due only now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tenancy.lease import TenantConnection
from worker.clock import to_ms
from worker.drain import messages
from worker.drain.conversations import Book, Conversation
from worker.drain.silence import silent


async def leave_late(
    conn: TenantConnection,
    book: Book,
    due: Sequence[Conversation],
    *,
    too_old_h: float,
    now: datetime,
) -> list[Conversation]:
    """Those that may still be answered. The others' messages say why they are not, their
    conversations are marked, and `book.late` lists them."""
    latest = now - timedelta(hours=too_old_h)
    in_time = []
    for conversation in due:
        # Both: somebody who wants an answer now may have set the due time back by hand.
        times = (conversation.responder_em, conversation.sem_resposta_desde)
        due_at = max((at for at in times if at is not None), default=now)
        if due_at >= latest:
            in_time.append(conversation)
            continue
        why = f"a resposta viria com mais de {too_old_h:g} horas de atraso"
        turn = conversation.take_turn_number()
        conversation.turno_anterior = None
        conversation.call_a_person(why, now=now)
        await messages.explain(conn, conversation.id, turn, silent(why))
        book.late[conversation.id] = to_ms(due_at)
    return in_time

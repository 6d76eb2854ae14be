"""Makes the open conversations of two customers one, which goes on. Called by `merge`.

The one that was spoken in last decides what Lucas remembers; the turns of the other come before
its own, and what was left unanswered in either is answered in the next one.
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from bot.state import load
from tenancy.lease import TenantConnection
from worker.drain import conversations, funnel, handover, messages
from worker.drain.conversations import Conversation
from worker.drain.undo import undo_turn

_OPEN = """
    SELECT MAX(id) FROM conversations
     WHERE customer_id IN %(customers)s AND status <> 'fechado' GROUP BY customer_id
"""
_MAKE_ROOM = """
    UPDATE mensagens SET turno = turno + %(turns)s
     WHERE conversation_id = %(id)s AND turno IS NOT NULL
"""
_LEFT_OPEN = """
    UPDATE mensagens SET turno = %(next)s
     WHERE conversation_id = %(id)s AND turno = %(open)s
"""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_STAYS_QUIET = frozenset({"opt_out", "complaint"})
"""What ends Lucas's part until a person gives it back, in whichever conversation it was said."""


async def join_open_talks(
    conn: TenantConnection, one: int, other: int, *, now: datetime
) -> tuple[int, int] | None:
    """Joins the two open conversations; (the id that is empty now, the one that goes on).

    None when there are not two. The higher id stays: that one is taken for open elsewhere.
    """
    rows = await conn.fetch_all(_OPEN, {"customers": [one, other]})
    if len(rows) < 2:
        return None
    pair = [await conversations.by_id(conn, row[0]) for row in sorted(rows)]
    earlier, later = sorted(pair, key=lambda talk: (talk.last_interaction or _NEVER, talk.id))
    for talk in pair:
        if talk.turno_anterior is not None and await messages.withdraw_unsent(conn, [talk.id]):
            await undo_turn(conn, talk)  # what it answered is answered together with the rest
            talk.responder_em = now
    await conn.execute(_MAKE_ROOM, {"turns": earlier.turno, "id": later.id})
    turns = earlier.turno + later.turno
    told = {"open": earlier.turno + 1, "next": turns + 1, "id": earlier.id}
    await conn.execute(_LEFT_OPEN, told)
    gone, kept = pair
    moved_up = earlier.turno if kept is later else 0
    joined = _joined(earlier, later, kept.id, turns)
    await funnel.join(conn, kept.id, moved_up, kept.status, joined.status, now=now)
    await conversations.save(conn, [joined])
    await handover.join(conn, earlier=earlier.id, later=later.id, kept=kept.id)
    return gone.id, kept.id


def _joined(earlier: Conversation, later: Conversation, id_: int, turns: int) -> Conversation:
    paused = max((earlier, later), key=lambda talk: talk.bot_pausado_ate or _NEVER)
    heard = later if later.endereco is not None else earlier
    status = earlier.status if later.status == "novo" else later.status
    both = (earlier, later)
    return Conversation(
        id=id_,
        customer_id=later.customer_id,
        customer_name=later.customer_name or earlier.customer_name,
        status=status,
        estado=_memory(earlier.estado, later.estado),
        turno=turns,
        turno_anterior=None,
        sem_resposta_desde=_first([talk.sem_resposta_desde for talk in both]),
        responder_em=_first([talk.responder_em for talk in both]),
        canal_id=heard.canal_id,
        endereco=heard.endereco,
        bot_pausado_ate=paused.bot_pausado_ate,
        bot_pausado_por=paused.bot_pausado_por,
        last_message=later.last_message,
        last_interaction=later.last_interaction,
        atencao=later.atencao or earlier.atencao,
        atencao_em=_first([talk.atencao_em for talk in both]),
        ritmo_em=later.ritmo_em or earlier.ritmo_em,
        status_anotado=status,
    )


def _memory(earlier: str | None, later: str | None) -> str | None:
    """The newer memory; but a buyer who wanted no more of Lucas has said so for both."""
    if earlier is None or later is None:
        return later or earlier
    said = load(orjson.loads(earlier)).quiet
    now = orjson.loads(later)
    if said not in _STAYS_QUIET or now.get("quiet") is not None:
        return later
    return orjson.dumps({**now, "quiet": said}).decode()


def _first(times: list[datetime | None]) -> datetime | None:
    return min((at for at in times if at is not None), default=None)

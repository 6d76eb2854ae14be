"""Makes a conversation due again whose turn had failed. Called by `worker.dead.replay`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.dead.results import Outcome, Result
from worker.drain.references import CONVERSATION, survivor
from worker.fence import after_the_drain

TOO_LATE = timedelta(hours=24)
"""After this WhatsApp takes no free text any more, and an answer would be out of place."""

MOVED_ON = "the conversation has moved on; discard it"

_CONVERSATION = """
    SELECT status, turno, bot_pausado_ate FROM conversations WHERE id = %(id)s FOR UPDATE
"""
# What the letter of an earlier release does not say: any turn. Answered is what has a later message
# of ours, whoever wrote it, that was not withdrawn.
_FAILED = """
    SELECT m.id, COALESCE(m.recebida_em, m.timestamp),
           EXISTS (SELECT 1 FROM mensagens a
                    WHERE a.conversation_id = m.conversation_id AND a.tipo = 'enviada'
                      AND a.id > m.id AND COALESCE(a.status, '') <> 'cancelada')
      FROM mensagens m
     WHERE m.conversation_id = %(id)s AND m.turno = COALESCE(%(turn)s, m.turno)
       AND m.tipo = 'recebida' AND m.erro IS NOT NULL
     ORDER BY m.id
"""
# They join the next turn, and with it whatever the buyer has written since.
_JOIN = "UPDATE mensagens SET turno = %(turn)s, erro = NULL WHERE id IN %(ids)s"
# Where two conversations became one, turns have other numbers than the letter says.
_MERGED = """
    SELECT 1 FROM _merges WHERE tipo = 'conversation' AND novo_id = %(id)s LIMIT 1
"""
_DUE = """
    UPDATE conversations
       SET sem_resposta_desde = LEAST(COALESCE(sem_resposta_desde, %(since)s), %(since)s),
           responder_em = LEAST(COALESCE(responder_em, %(now)s), %(now)s)
     WHERE id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class _Failed:
    """The messages that nobody has answered, and the number of the conversation's last turn."""

    last_turn: int
    ids: Sequence[int]
    times: Sequence[datetime]


async def make_due(
    conn: TenantConnection, conversation_id: int, turn: int | None, *, now: datetime, plan: bool
) -> Result:
    """In the caller's transaction, after whose commit the drain is rung. Safe to repeat.

    With `plan` nothing is changed.
    """
    await after_the_drain(conn)
    conversation_id = await survivor(conn, CONVERSATION, conversation_id)
    failed = await _failed(conn, conversation_id, turn, now)
    if isinstance(failed, Result):
        return failed
    if max(failed.times) < now - TOO_LATE:
        return Result(Outcome.LATE)
    if not plan:
        await conn.execute(_JOIN, {"turn": failed.last_turn + 1, "ids": failed.ids})
        due = {"id": conversation_id, "since": min(failed.times), "now": now}
        await conn.execute(_DUE, due)
    return Result(Outcome.REPLAYED, "the conversation is due again")


async def _failed(
    conn: TenantConnection, conversation_id: int, turn: int | None, now: datetime
) -> _Failed | Result:
    found = await conn.fetch_one(_CONVERSATION, {"id": conversation_id})
    rows = await conn.fetch_all(_FAILED, {"id": conversation_id, "turn": turn})
    if not rows and await conn.fetch_one(_MERGED, {"id": conversation_id}):
        rows = await conn.fetch_all(_FAILED, {"id": conversation_id, "turn": None})
    if found is None or not rows:
        return Result(Outcome.SETTLED, "nothing is left of this turn")
    status, last_turn, paused = found
    open_ = [(row[0], at) for row in rows if not row[2] and (at := stored(row[1])) is not None]
    if not open_ or status == "fechado":
        return Result(Outcome.STAYS, MOVED_ON)
    until = stored(paused)
    if until is not None and until > now:
        return Result(Outcome.STAYS, "a person has taken over this conversation")
    return _Failed(last_turn, [row[0] for row in open_], [row[1] for row in open_])

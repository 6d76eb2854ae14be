"""Asks a dealer's database who waits for an answer. Called by `worker.alarm.waits`.

What buyers wrote in the last days is looked at, by the index of its time: older waits are no news.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tenancy.lease import TenantConnection
from worker.clock import stored, to_ms
from worker.drain.silence import BOT_OFF

_DAYS = timedelta(days=7)
_MOST = 500

# Either the turn is not taken yet, or its answer has not left. A reminder answers nobody.
_LUCAS = """
    SELECT MIN(w.since) FROM (
        SELECT MIN(sem_resposta_desde) AS since FROM conversations WHERE responder_em IS NOT NULL
        UNION ALL
        SELECT MIN((SELECT MIN(COALESCE(i.recebida_em, i.timestamp)) FROM mensagens i
                     WHERE i.conversation_id = m.conversation_id AND i.turno = m.turno
                       AND i.tipo = 'recebida'))
          FROM mensagens m WHERE m.status IN ('pendente', 'enviando')
    ) w
"""
# Three ways to a person: Lucas was silent or his turn failed (the message says so), his answer
# never left, he called one or marked the conversation. A seller's later word ends each; an answer
# of Lucas the first two.
_PERSON = """
    SELECT w.conversation_id, MIN(w.since) FROM (
        SELECT m.conversation_id, COALESCE(m.recebida_em, m.timestamp) AS since
          FROM mensagens m
         WHERE m.timestamp >= %(after)s AND m.tipo = 'recebida' AND m.apagada_em IS NULL
           AND (m.erro IS NOT NULL
                OR (JSON_UNQUOTE(JSON_EXTRACT(m.decisao, '$.rule')) = 'silent'
                    AND JSON_UNQUOTE(JSON_EXTRACT(m.decisao, '$.why')) <> %(off)s)
                OR (m.turno IS NOT NULL AND EXISTS (
                    SELECT 1 FROM mensagens f
                     WHERE f.conversation_id = m.conversation_id AND f.turno = m.turno
                       AND f.tipo = 'enviada' AND f.status = 'falhou')))
           AND NOT EXISTS (
               SELECT 1 FROM mensagens s
                WHERE s.conversation_id = m.conversation_id AND s.id > m.id AND s.tipo = 'enviada'
                  AND COALESCE(s.status, 'enviada') NOT IN ('cancelada', 'falhou'))
        UNION ALL
        SELECT c.id, GREATEST(COALESCE(c.chamado_em, c.atencao_em),
                              COALESCE(c.atencao_em, c.chamado_em))
          FROM conversations c
         WHERE c.id IN (SELECT r.conversation_id FROM mensagens r WHERE r.timestamp >= %(after)s)
           AND GREATEST(COALESCE(c.chamado_em, c.atencao_em),
                        COALESCE(c.atencao_em, c.chamado_em)) >= %(after)s
           AND NOT EXISTS (
               SELECT 1 FROM mensagens v
                WHERE v.conversation_id = c.id AND v.autor = 'vendedor'
                  AND v.gravada_em >= GREATEST(COALESCE(c.chamado_em, c.atencao_em),
                                               COALESCE(c.atencao_em, c.chamado_em)))
    ) w JOIN conversations o ON o.id = w.conversation_id
     WHERE COALESCE(o.status, 'novo') NOT IN ('fechado', 'perdido')
     GROUP BY w.conversation_id ORDER BY 2 LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Times in ms."""

    lucas_ms: int | None
    """Since when the first buyer waits for Lucas."""
    persons_ms: tuple[int, ...]
    """The same for each who waits for a person, the first one first."""


async def who_waits(conn: TenantConnection, *, now: datetime) -> Waiting:
    """Two statements that change nothing."""
    lucas = await conn.fetch_one(_LUCAS, {})
    persons = await conn.fetch_all(_PERSON, {"after": now - _DAYS, "off": BOT_OFF, "most": _MOST})
    return Waiting(
        lucas_ms=_ms(lucas[0] if lucas else None),
        persons_ms=tuple(ms for row in persons if (ms := _ms(row[1])) is not None),
    )


def _ms(at: datetime | None) -> int | None:
    since = stored(at)
    return None if since is None else to_ms(since)

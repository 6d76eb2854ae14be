"""Tells of answers that a gateway took and could not deliver. Called by `worker.drain.transaction`.

The send had succeeded, so nobody waits for anything: without this the buyer has no answer and no
person knows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from tenancy.lease import TenantConnection
from worker.drain.conversations import Book

_OURS = """
    SELECT id, conversation_id, erro FROM mensagens WHERE id IN %(ids)s AND autor = 'lucas'
"""
# One that this batch does not hold: a seller who has it open may write it in the same moment.
_CALL = """
    UPDATE conversations SET atencao = %(why)s, atencao_em = %(now)s
     WHERE id = %(id)s AND atencao IS NULL
"""
_WHY = "uma mensagem do Lucas não foi entregue"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An answer of Lucas that has failed after it was sent. `error`: in a dealer's words."""

    mensagem_id: int
    error: str


async def call_a_person(
    conn: TenantConnection, book: Book, rows: Collection[int], *, now: datetime
) -> list[Undelivered]:
    """Marks the conversations of these rows of `mensagens`, as far as they are answers of ours."""
    if not rows:
        return []
    found = await conn.fetch_all(_OURS, {"ids": sorted(rows)})
    for conversation_id in sorted({row[1] for row in found}):
        known = book.by_id.get(conversation_id)
        if known is not None:
            known.call_a_person(_WHY, now=now)
        else:
            conn.later(_CALL, {"id": conversation_id, "why": _WHY, "now": now})
    return [Undelivered(row[0], row[2] or _WHY) for row in found]

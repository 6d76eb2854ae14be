"""Keeps the history of each conversation's status. Called by `turns`, `undo`, `join_talks`.

Rows of `historico_status`, in words for a seller. What a person changes in the table, a dealer's
panel say, nobody tells us: `worker.remind` looks for it, and a turn that moves the status notes
first what it found. `conversations.status_anotado` is the status that the history ends with.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenancy.lease import TenantConnection

# Placeholders only: with a literal among the values the driver sends one statement for each row.
_NOTE = """
    INSERT INTO historico_status (conversation_id, de, para, quem, porque, turno, em)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_ENDS_WITH = "UPDATE conversations SET status_anotado = %(status)s WHERE id IN %(ids)s"
_NOTED = """
    SELECT id, status_anotado, status FROM conversations WHERE id IN %(ids)s FOR UPDATE
"""
# By the index alone, and without a lock: most dealers' panels have changed nothing.
_MOVED = """
    SELECT id FROM conversations FORCE INDEX (idx_status_anotado)
     WHERE status_anotado IS NOT NULL AND status_anotado <> status LIMIT 200
"""
_FORGET = """
    DELETE FROM historico_status WHERE conversation_id = %(id)s AND turno = %(turn)s
"""
_PUT_BACK = """
    UPDATE conversations SET status = %(status)s, status_anotado = %(status)s WHERE id = %(id)s
"""
_RENUMBER = """
    UPDATE historico_status SET turno = turno + %(turns)s
     WHERE conversation_id = %(id)s AND turno IS NOT NULL
"""
_BY_A_PERSON = "mudado por uma pessoa, fora da conversa"
_WHY = {
    "visit": "combinou um horário na loja",
    "negotiate": "pediu desconto ou fez uma proposta",
    "financing": "pediu financiamento",
    "trade_in": "quer dar um carro na troca",
    "buy": "quer fechar a compra",
    "opt_out": "pediu para não receber mais mensagens",
}
"""By the first word of the rule that spoke (`Decision.rule`)."""
_FIRST_ANSWER = "primeira resposta do Lucas"
_TALKS_AGAIN = "a conversa continuou"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One turn's change of a status."""

    conversation_id: int
    noted: str | None
    """What the history ended with."""
    found: str | None
    """What the row said: a person's word where the history ends otherwise."""
    before: str
    after: str
    turn: int
    rule: str

    @property
    def has_moved(self) -> bool:
        """Most turns leave the status as it is."""
        return self.before != self.after

    @property
    def why(self) -> str:
        """For a seller."""
        usual = _FIRST_ANSWER if self.before == "novo" else _TALKS_AGAIN
        return _WHY.get(self.rule.split(".", 1)[0], usual)


def note_later(conn: TenantConnection, moves: Sequence[Move], *, now: datetime) -> None:
    """Writes down what a round of turns moved, and first what a person had moved before, on the
    way of the transaction's next statement.

    The caller saves the conversations, with the status that each history ends with now.
    """
    people = [_by_a_person(m.conversation_id, m.noted, m.found, now) for m in moves
              if m.has_moved and m.noted not in (None, m.found)]  # fmt: skip
    lucas = [(m.conversation_id, m.before, m.after, "lucas", m.why, m.turn, now)
             for m in moves if m.has_moved]  # fmt: skip
    conn.later_many(_NOTE, [*people, *lucas])


def _by_a_person(
    conversation_id: int, noted: str | None, found: str | None, now: datetime
) -> tuple[object, ...]:
    return (conversation_id, noted, found, "pessoa", _BY_A_PERSON, None, now)


async def notice(conn: TenantConnection, ids: Collection[int], *, now: datetime) -> int:
    """Writes down what a person has moved among these conversations; how many there were."""
    rows = await conn.fetch_all(_NOTED, {"ids": sorted(ids)})
    moved = [(id_, noted, now_is) for id_, noted, now_is in rows if noted not in (None, now_is)]
    await conn.execute_many(
        _NOTE,
        [_by_a_person(id_, noted, to, now) for id_, noted, to in moved],
    )
    for status in sorted({to for _, _, to in moved}):
        changed = [id_ for id_, _, to in moved if to == status]
        await conn.execute(_ENDS_WITH, {"status": status, "ids": changed})
    return len(moved)


async def moved_by_people(conn: TenantConnection) -> list[int]:
    """Conversations whose status a person has changed since it was noted; 200 at most."""
    return [row[0] for row in await conn.fetch_all(_MOVED)]


async def take_back(conn: TenantConnection, conversation_id: int, turn: int, status: str) -> bool:
    """The turn is withdrawn: its row goes, and the history ends with the status before it.

    So does the conversation's row, at once: who looks at it before it is saved must not take the
    difference for a person's doing. False when the turn had noted nothing.
    """
    if not await conn.execute(_FORGET, {"id": conversation_id, "turn": turn}):
        return False
    await conn.execute(_PUT_BACK, {"status": status, "id": conversation_id})
    return True


async def join(
    conn: TenantConnection, conversation_id: int, turns: int, before: str, after: str,
    *, now: datetime,
) -> None:  # fmt: skip
    """Two conversations become this one, whose turns move up by `turns`; before it is saved."""
    await notice(conn, [conversation_id], now=now)
    await conn.execute(_RENUMBER, {"id": conversation_id, "turns": turns})
    if before != after:
        why = "duas conversas do mesmo comprador viraram uma"
        row = (conversation_id, before, after, "sistema", why, None, now)
        await conn.execute_many(_NOTE, [row])
    await conn.execute(_ENDS_WITH, {"status": after, "ids": [conversation_id]})

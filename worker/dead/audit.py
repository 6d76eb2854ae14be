"""Writes down who did what to dead letters, in the central database. Called by `worker.cli`.

The row is there before anything happens: a command that is killed leaves one without an end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from tenancy.central import Central
from tenancy.lease import Connection
from worker.clock import stored
from worker.dead.round import Tally
from worker.log import mask

_BEGIN = """
    INSERT INTO acoes_dead_letters (quem, acao, filtro, motivo, encontradas, iniciada_em)
    VALUES (%(who)s, %(action)s, %(filter)s, %(reason)s, %(found)s, UTC_TIMESTAMP(3))
"""
_END = """
    UPDATE acoes_dead_letters
       SET contagens = %(counts)s, interrompida = %(interrupted)s, terminada_em = UTC_TIMESTAMP(3)
     WHERE id = %(id)s
"""
_LATEST = """
    SELECT id, quem, acao, filtro, motivo, encontradas, contagens, interrompida, iniciada_em,
           terminada_em
      FROM acoes_dead_letters ORDER BY id DESC LIMIT %(most)s
"""
_LONGEST_NAME = 190


class Action(StrEnum):
    """The values of `acoes_dead_letters.acao`."""

    REPLAY = "replay"
    DISCARD = "discard"
    SHOW_PERSONAL = "show_personal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row. Times are with a zone; `ended_at` None: it runs, or was killed."""

    id: int
    who: str
    action: str
    filter: str
    reason: str | None
    found: int
    counts: dict[str, int]
    interrupted: bool
    started_at: datetime | None
    ended_at: datetime | None


class Audit:
    """The table `acoes_dead_letters`. Raises CentralUnavailable; NotMigrated before `migrate`."""

    def __init__(self, central: Central) -> None:
        self._central = central

    async def begin(
        self, action: Action, *, who: str, wanted: str, found: int, reason: str | None = None
    ) -> int:
        """Before the first letter is touched. `wanted`: the filter or ids, as the person gave them.

        Returns the id for `end`.
        """
        async with self._central.transaction() as conn:
            await conn.execute(
                _BEGIN,
                {
                    "who": who[:_LONGEST_NAME],
                    "action": action.value,
                    "filter": mask(wanted),
                    "reason": reason,
                    "found": found,
                },
            )
            return conn.last_id

    async def end(self, entry_id: int, tally: Tally) -> None:
        """What came of it, also of one that was stopped."""
        counts = {outcome.value: count for outcome, count in tally.outcomes.items()}
        async with self._central.transaction() as conn:
            await conn.execute(
                _END,
                {
                    "id": entry_id,
                    "counts": orjson.dumps(counts).decode(),
                    "interrupted": tally.interrupted,
                },
            )

    async def latest(self, most: int) -> list[Entry]:
        """The newest first."""
        async with self._central.connection() as conn:
            return await _entries(conn, most)


async def _entries(conn: Connection, most: int) -> list[Entry]:
    return [
        Entry(
            id=row[0],
            who=row[1],
            action=row[2],
            filter=row[3],
            reason=row[4],
            found=row[5],
            counts=orjson.loads(row[6]) if row[6] else {},
            interrupted=bool(row[7]),
            started_at=stored(row[8]),
            ended_at=stored(row[9]),
        )
        for row in await conn.fetch_all(_LATEST, {"most": most})
    ]

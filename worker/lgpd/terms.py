"""How long one dealer's data is kept, and what stays of the erased. Read by retention and the CLI.

The table `privacidade` has what differs from the settings; NULL is the default, 0 without end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tenancy.central import Central
from worker.clock import stored
from worker.lgpd.settings import PrivacySettings

_READ = """
    SELECT guardar_agendamentos, mensagens_dias, midia_dias, dead_letters_dias, decisoes_dias,
           midia_ate, decisoes_ate
      FROM privacidade WHERE empresa_id = %(id)s
"""
_WRITE = """
    INSERT INTO privacidade (empresa_id, guardar_agendamentos, mensagens_dias, midia_dias,
                             dead_letters_dias, decisoes_dias)
    VALUES (%(id)s, %(count_visits)s, %(messages_days)s, %(media_days)s, %(dead_letters_days)s,
            %(decisions_days)s)
        ON DUPLICATE KEY UPDATE guardar_agendamentos = VALUES(guardar_agendamentos),
           mensagens_dias = VALUES(mensagens_dias), midia_dias = VALUES(midia_dias),
           dead_letters_dias = VALUES(dead_letters_dias), decisoes_dias = VALUES(decisoes_dias)
"""
_REACHED = """
    INSERT INTO privacidade (empresa_id, midia_ate, decisoes_ate)
    VALUES (%(id)s, %(media)s, %(decisions)s)
        ON DUPLICATE KEY UPDATE midia_ate = COALESCE(VALUES(midia_ate), midia_ate),
                                decisoes_ate = COALESCE(VALUES(decisoes_ate), decisoes_ate)
"""
_FORGET_REACHED = """
    UPDATE privacidade SET midia_ate = NULL, decisoes_ate = NULL WHERE empresa_id = %(id)s
"""
NAMES = ("count_visits", "messages_days", "media_days", "dead_letters_days", "decisions_days")
"""Of the settings that a dealer may have for himself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for one dealer. Days; 0: kept without end."""

    count_visits: bool
    messages_days: int
    media_days: int
    dead_letters_days: int
    decisions_days: int
    own: Mapping[str, int | None]
    """What of it is his own; None: the default."""
    media_done: datetime | None
    """All files of older messages are gone."""
    decisions_done: datetime | None


async def terms_of(central: Central, empresa_id: int, defaults: PrivacySettings) -> Terms:
    """Raises CentralUnavailable; NotMigrated before `migrate`."""
    async with central.connection() as conn:
        row = await conn.fetch_one(_READ, {"id": empresa_id}) or (None,) * 7
    own = dict(zip(NAMES, row[:5], strict=True))
    held = {name: getattr(defaults, name) if own[name] is None else own[name] for name in NAMES}
    return Terms(
        count_visits=bool(held["count_visits"]),
        messages_days=held["messages_days"],
        media_days=held["media_days"],
        dead_letters_days=held["dead_letters_days"],
        decisions_days=held["decisions_days"],
        own=own,
        media_done=stored(row[5]),
        decisions_done=stored(row[6]),
    )


async def set_terms(central: Central, empresa_id: int, own: Mapping[str, int | None]) -> None:
    """All of a dealer's own settings, by the names of `NAMES`."""
    async with central.transaction() as conn:
        await conn.execute(_WRITE, {"id": empresa_id, **own})


async def note_reached(
    central: Central, empresa_id: int, *, media: datetime | None, decisions: datetime | None
) -> None:
    """What is older need not be looked at again."""
    async with central.transaction() as conn:
        told = {"id": empresa_id, "media": media, "decisions": decisions}
        await conn.execute(_REACHED, told)


async def forget_reached(central: Central, empresa_id: int) -> None:
    """All of his database is looked at once more: it is another one, with older rows."""
    async with central.transaction() as conn:
        await conn.execute(_FORGET_REACHED, {"id": empresa_id})

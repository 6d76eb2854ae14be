"""Says whose backup is due, and whose is older than it should be. Used by `tenancy.life.nightly`,
the worker, `helix status` and `helix doctor`.

Each dealer has a minute of the night of his own, so that no server is asked for all at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from tenancy.lease import Connection
from tenancy.life.settings import BackupSettings

_DEALERS = """
    SELECT e.id, e.db_host, e.db_port, a.empresa_id IS NOT NULL, a.hora,
           (SELECT MAX(c.feita_em) FROM copias c WHERE c.empresa_id = e.id)
      FROM empresas e LEFT JOIN agenda_copias a ON a.empresa_id = e.id
     WHERE e.status IN ('ativo', 'pausado') AND e.db_name IS NOT NULL
       AND (%(only)s IS NULL OR e.id = %(only)s) ORDER BY e.id
"""
_TRIED = """
    SELECT empresa_id, MAX(terminada_em) FROM operacoes_empresa
     WHERE tipo = 'backup' AND estado = 'desistida' AND terminada_em > %(since)s
       AND (%(only)s IS NULL OR empresa_id = %(only)s)
     GROUP BY empresa_id
"""
_SET_HOUR = """
    INSERT INTO agenda_copias (empresa_id, hora) VALUES (%(id)s, %(hour)s)
        ON DUPLICATE KEY UPDATE hora = VALUES(hora)
"""
_USUAL_HOUR = "DELETE FROM agenda_copias WHERE empresa_id = %(id)s"
_LATE = timedelta(hours=6)
"""A night that was missed by more is over: no backup runs into the day's work."""
_AGAIN = timedelta(minutes=30)
"""After a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """One who is backed up by himself, at an hour of the dealers' clock."""

    empresa_id: int
    host: str
    port: int
    hour: int
    newest: datetime | None
    """His newest good backup."""
    failed: datetime | None
    """His newest try that failed, of the last days."""

    def slot(self, now: datetime, zone: tzinfo, spread_min: int) -> datetime:
        """The last moment up to now at which his backup was to begin."""
        digest = hashlib.sha256(str(self.empresa_id).encode()).digest()
        offset = timedelta(minutes=int.from_bytes(digest[:4], "big") % spread_min)
        local = now.astimezone(zone)
        for days in (0, 1, 2):
            night = (local - timedelta(days=days)).replace(
                hour=self.hour, minute=0, second=0, microsecond=0
            )
            if night + offset <= local:
                return (night + offset).astimezone(UTC)
        raise AssertionError("a spread is shorter than a day")

    def is_due(self, now: datetime, zone: tzinfo, spread_min: int) -> bool:
        """Whether his backup of this night is missing and may begin now."""
        slot = self.slot(now, zone, spread_min)
        if now - slot > _LATE or (self.newest is not None and self.newest >= slot):
            return False
        return self.failed is None or now - self.failed >= _AGAIN

    def is_old(self, now: datetime, wanted: timedelta) -> bool:
        """Whether his newest backup is older than wanted."""
        return self.newest is not None and now - self.newest > wanted


async def scheduled(
    conn: Connection, settings: BackupSettings, now: datetime, *, only: int | None = None
) -> list[Dealer]:
    """All who are backed up by themselves, or that dealer alone; nobody without `settings.hour`."""
    if settings.hour is None:
        return []
    since = (now - timedelta(days=3)).astimezone(UTC).replace(tzinfo=None)
    tried = await conn.fetch_all(_TRIED, {"since": since, "only": only})
    failed = {int(id_): _utc(at) for id_, at in tried}
    found = []
    for id_, host, port, is_own, own, newest in await conn.fetch_all(_DEALERS, {"only": only}):
        hour = own if is_own else settings.hour
        if hour is not None:
            found.append(
                Dealer(
                    empresa_id=int(id_),
                    host=str(host),
                    port=int(port),
                    hour=int(hour),
                    newest=_utc(newest),
                    failed=failed.get(int(id_)),
                )
            )
    return found


async def due(
    conn: Connection,
    settings: BackupSettings,
    now: datetime,
    zone: tzinfo,
    *,
    only: int | None = None,
) -> list[Dealer]:
    """Whose backup may begin now, the one who has waited longest first; or whether his may."""
    spread = settings.spread_min
    known = await scheduled(conn, settings, now, only=only)
    waiting = [one for one in known if one.is_due(now, zone, spread)]
    return sorted(waiting, key=lambda one: (one.slot(now, zone, spread), one.empresa_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Worry:
    """Of backups, over all dealers who are to have them."""

    dealers: int
    old: Sequence[Dealer]
    """Older than wanted, or none yet after a try that failed."""
    none_yet: Sequence[Dealer]


async def worries(conn: Connection, settings: BackupSettings, now: datetime) -> Worry:
    """What `helix status` and `helix doctor` tell."""
    known = await scheduled(conn, settings, now)
    wanted = timedelta(hours=settings.old_h)
    old = [one for one in known
           if one.is_old(now, wanted) or (one.newest is None and one.failed)]  # fmt: skip
    none_yet = [one for one in known if one.newest is None and not one.failed]
    return Worry(dealers=len(known), old=old, none_yet=none_yet)


async def set_hour(conn: Connection, empresa_id: int, hour: int | None) -> None:
    """A dealer's own hour; None: never by itself."""
    await conn.execute(_SET_HOUR, {"id": empresa_id, "hour": hour})


async def usual_hour(conn: Connection, empresa_id: int) -> None:
    """He goes by the settings again."""
    await conn.execute(_USUAL_HOUR, {"id": empresa_id})


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)

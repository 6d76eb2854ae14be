"""Looks for dealers whose newest backup is older than wanted. Called by `.run`."""

from __future__ import annotations

from datetime import datetime

from tenancy.lease import Connection
from tenancy.life.schedule import Dealer, worries
from tenancy.life.settings import BackupSettings
from worker.doctor.values import Finding, red, warning


async def look(
    conn: Connection, settings: BackupSettings, now: datetime, *, only: int | None = None
) -> list[Finding]:
    """Of those who are to be backed up by themselves; `only`: of this dealer."""
    found = await worries(conn, settings, now)
    old = [_old(one, now) for one in found.old if only in (None, one.empresa_id)]
    none_yet = [_none_yet(one) for one in found.none_yet if only in (None, one.empresa_id)]
    return [*old, *none_yet]


def _old(dealer: Dealer, now: datetime) -> Finding:
    if dealer.newest is None:
        what = "it has no backup: the last try failed"
    else:
        what = f"its newest backup is {(now - dealer.newest).total_seconds() / 3600:.0f} h old"
    return red(
        "old_backup",
        f"empresa {dealer.empresa_id}",
        what,
        why="what buyers wrote since then would be lost with its server",
        mend=f"helix empresa backup {dealer.empresa_id} says what is in the way",
    )


def _none_yet(dealer: Dealer) -> Finding:
    return warning(
        "no_backup",
        f"empresa {dealer.empresa_id}",
        "it has no backup yet",
        why="all of it would be lost with its server",
        mend=f"helix empresa backup {dealer.empresa_id}, or wait for the night",
    )

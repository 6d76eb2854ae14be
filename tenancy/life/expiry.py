"""Deletes a dealer's backups that nobody needs any more. Used after each backup of a night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from tenancy.life.backup import Manifest, manifests
from tenancy.life.book import Book
from tenancy.life.settings import BackupSettings
from tenancy.life.tools import Tools

_YOUNG = timedelta(days=2)
"""Whatever was made so lately stays: somebody made it for a reason."""
_LEDGER = timedelta(days=30)


def superfluous(
    known: Sequence[Manifest], settings: BackupSettings, now: datetime, zone: tzinfo
) -> list[Manifest]:
    """Those that are neither young, nor the newest of one of the last days that have one, nor the
    newest of one of the last weeks. Days without a backup do not count, so who has none for long
    keeps what there is."""
    newest_first = sorted(known, key=lambda one: one.made_at, reverse=True)
    days: dict[object, Manifest] = {}
    weeks: dict[object, Manifest] = {}
    for one in newest_first:
        local = one.made_at.astimezone(zone)
        days.setdefault(local.date(), one)
        weeks.setdefault(local.isocalendar()[:2], one)
    kept = {one.name for one in list(days.values())[: settings.keep_days]}
    kept |= {one.name for one in list(weeks.values())[: settings.keep_weeks]}
    return [one for one in newest_first
            if one.name not in kept and now - one.made_at > _YOUNG]  # fmt: skip


async def expire(
    tools: Tools, empresa_id: int, settings: BackupSettings, now: datetime, zone: tzinfo
) -> list[str]:
    """Deletes them, and what killed runs left. Returns the backups' names.

    Raises BackupStoreUnavailable, BackupDamaged.
    """
    async with tools.ledger.alone(empresa_id):
        gone = superfluous(await manifests(tools, empresa_id), settings, now, zone)
        for one in gone:
            await tools.store.remove(empresa_id, one.name)
        await _remove_halves(tools, empresa_id)
        book = Book(tools.central)
        await book.forget(empresa_id, [one.name for one in gone])
        await book.forget_operations(empresa_id, now - _LEDGER)
    return [one.name for one in gone]


async def _remove_halves(tools: Tools, empresa_id: int) -> None:
    """Dumps without a manifest; that of an operation that will go on stays."""
    operation = await tools.ledger.open_one(empresa_id)
    keys = await tools.store.keys(f"{empresa_id}/")
    whole = {key.split("/")[1] for key in keys if key.endswith("/manifest.json")}
    for name in {key.split("/")[1] for key in keys} - whole:
        if operation is None or not name.endswith(f"-{operation.id}"):
            await tools.store.remove(empresa_id, name)

"""A watcher over a shop, with limits that a test can live with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

from tests.worker.shop import Shop
from worker.alarm.book import alarms
from worker.alarm.directory import Directory, Known
from worker.alarm.settings import AlarmSettings
from worker.alarm.values import Finding
from worker.alarm.waits import Waits
from worker.alarm.watch import Watcher, looks_of_a_worker, open_watcher

ZONE = ZoneInfo("America/Sao_Paulo")
MINUTE_MS = 60_000


def limits(**changes: Any) -> AlarmSettings:
    """Three minutes for Lucas, an hour for a person."""
    return AlarmSettings.model_validate({"min_workers": 0, "hold_s": 0, **changes})


@asynccontextmanager
async def watcher(shop: Shop, **changes: Any) -> AsyncIterator[Watcher]:
    """As a worker process has it."""
    settings = limits(**changes)
    looks = looks_of_a_worker(shop.redis, shop.tenancy, settings, zone=ZONE)
    async with open_watcher(shop.redis, settings, looks) as made:
        yield made


async def now_ms(shop: Shop) -> int:
    """Redis's time."""
    seconds, micros = await shop.redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def look(shop: Shop, *, minutes: float) -> list[Finding]:
    """Who waits too long, as it will be in so many minutes."""
    waits = Waits(shop.redis, shop.tenancy.pools, limits(), zone=ZONE)
    at_ms = await now_ms(shop) + int(minutes * MINUTE_MS)
    return await waits.look(await directory(shop), now_ms=at_ms)


async def directory(shop: Shop) -> Known:
    """As the central database has it now."""
    return await Directory(shop.tenancy.central).read(fresh=True)


async def open_kinds(shop: Shop) -> set[str]:
    """Alarms that are open."""
    known = await alarms(shop.redis)
    return {one.kind.value for one in known.values() if one.opened_ms is not None}

"""What the tests of replays do: find letters, replay them all at once, count."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from gateway.adapters import ADAPTERS
from tests.worker.shop import Shop
from worker.dead.find import Filter, Finder
from worker.dead.letter import Letter
from worker.dead.replay import Replayer
from worker.dead.results import Outcome, Result
from worker.queue.dead_shelf import DeadShelf
from worker.queue.keys import Task, TaskKeys


async def letters(shop: Shop, **wanted: Any) -> list[Letter]:
    """Those that the filter finds."""
    return [letter async for letter in Finder(DeadShelf(shop.redis)).find(Filter(**wanted))]


async def replay(shop: Shop, *chosen: Letter, plan: bool = False) -> list[Result]:
    """Each once, all at the same time."""
    replayer = Replayer(shop.redis, shop.tenancy, ADAPTERS)
    return await asyncio.gather(*(replayer.replay(letter, plan=plan) for letter in chosen))


def outcomes(results: list[Result]) -> dict[Outcome, int]:
    """How many of each."""
    return Counter(result.outcome for result in results)


async def forget_rings(shop: Shop) -> None:
    """Nobody is coming: whatever is queued afterwards is of a new ring."""
    for task in Task:
        keys = TaskKeys(shop.empresa_id, task)
        await shop.redis.delete(keys.queue, keys.ring)

"""Rings again where a ring got lost: a dead worker, an expired arq key. Run by every worker.

One sweep at a time in all the system is enough; a short lock in Redis sees to that.
"""

from __future__ import annotations

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from worker.queue.bell import Bell
from worker.queue.keys import Task

log = structlog.get_logger()

_LOCK = "helix:sweep"


async def sweep_for_ever(redis: Redis, bell: Bell, *, every_s: float) -> None:
    """Sweeps until cancelled; Redis may come and go meanwhile."""
    while True:
        try:
            if await redis.set(_LOCK, b"1", nx=True, px=max(1, int(every_s * 900))):
                await sweep(bell)
        except RedisError as error:
            log.warning("sweep failed", error=str(error))
        await asyncio.sleep(every_s)


async def sweep(bell: Bell) -> int:
    """Rings for every empresa that is overdue and has nobody at it; returns how many."""
    rung = 0
    for task in Task:
        for empresa_id in await bell.overdue(task):
            if await bell.ring(task, empresa_id):
                rung += 1
                log.info("rung again", empresa_id=empresa_id, task=task.value)
    return rung

"""Rings again where a ring got lost: a dead worker, an expired arq key. Run by every worker.

One sweep at a time in all the system is enough; a short lock in Redis sees to that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import MappingProxyType

import structlog
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from schema.errors import Transient
from worker.queue.bell import Bell
from worker.queue.keys import Task
from worker.relief import Work, relieve

log = structlog.get_logger()

_LOCK = "helix:sweep"
_ALL = "helix:sweep:all"
_ALL_EVERY_S = 900

ActiveEmpresas = Callable[[], Awaitable[Sequence[int]]]
"""Ids of all dealers that are served."""


async def sweep_for_ever(
    redis: Redis,
    bell: Bell,
    active: ActiveEmpresas,
    *,
    every_s: float,
    work: Work = MappingProxyType({}),
) -> None:
    """Sweeps until cancelled; Redis and the central database may come and go meanwhile.

    `work`: how to do at once what is overdue, when Redis is full.
    """
    while True:
        try:
            if await redis.set(_LOCK, b"1", nx=True, px=max(1, int(every_s * 900))):
                await sweep(bell)
                await sweep_all(redis, bell, active)
        except OutOfMemoryError:
            await relieve(bell, work)
        except (RedisError, Transient) as error:
            log.warning("sweep failed", error=str(error))
        except Exception:  # a bug must not end the sweeping of this process
            log.exception("sweep failed")
        await asyncio.sleep(every_s)


async def sweep_all(redis: Redis, bell: Bell, active: ActiveEmpresas) -> int:
    """Rings for every dealer now and then: due turns and appointments are in the databases, their
    times in Redis. So are found appointments that a dealer's panel wrote.

    When Redis has lost its data it has lost this mark as well, so that this comes at once.
    """
    if not await redis.set(_ALL, b"1", nx=True, ex=_ALL_EVERY_S):
        return 0
    try:
        rung = [
            await bell.ring(task, empresa_id)
            for empresa_id in await active()
            for task in (Task.DRAIN, Task.REMIND)
        ]
    except Exception:
        await redis.delete(_ALL)
        raise
    return sum(rung)


async def sweep(bell: Bell) -> int:
    """Rings for every empresa that is overdue and has nobody at it; returns how many."""
    rung = 0
    for task in Task:
        for empresa_id in await bell.overdue(task):
            if await bell.ring(task, empresa_id):
                rung += 1
                log.info("rung again", empresa_id=empresa_id, task=task.value)
    return rung

"""Lets one process at a time do what is to be done once in all the system: a lease under a name.

Used by the watcher of alarms, and by nightly work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex

from redis.asyncio import Redis

from worker.queue.scripts import load

_LIFE_S = 30.0


class NamedLease:
    """The right to be the one process that does what has this name. Its methods raise RedisError.

    Who sleeps past it may find another beside him: the work must bear that.
    """

    def __init__(self, redis: Redis, name: str, *, life_s: float) -> None:
        self.name = name
        self.token = token_hex(8)
        self._redis = redis
        self._life_ms = int(life_s * 1000)
        self._extend = load(redis, "extend_lease")

    async def take(self) -> bool:
        """False: somebody has it."""
        return bool(await self._redis.set(self.name, self.token, nx=True, px=self._life_ms))

    async def keep(self) -> bool:
        """For its whole life from now on. False: it has gone."""
        return bool(await self._extend(keys=[self.name], args=[self.token, self._life_ms]))

    async def leave(self) -> None:
        """Another may have it at once; one that has gone to another stays with it."""
        await self._extend(keys=[self.name], args=[self.token, 1])


@asynccontextmanager
async def alone(redis: Redis, name: str) -> AsyncIterator[bool]:
    """False when another process is at it. What dies lets go within half a minute.

    Raises RedisError.
    """
    lease = NamedLease(redis, name, life_s=_LIFE_S)
    if not await lease.take():
        yield False
        return

    async def keep() -> None:
        while True:
            await asyncio.sleep(_LIFE_S / 4)
            await lease.keep()

    keeper = asyncio.create_task(keep(), name=f"keep-{name}")
    try:
        yield True
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await lease.leave()

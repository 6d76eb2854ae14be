"""Lets one process at a time do what is to be done once in all the system. Called by nightly work.

A lease in Redis under a name: what dies lets go within half a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex

from redis.asyncio import Redis

from worker.queue.scripts import load

_LIFE_MS = 30_000


@asynccontextmanager
async def alone(redis: Redis, name: str) -> AsyncIterator[bool]:
    """False when another process is at it. Raises RedisError.

    Who sleeps past the lease may find another beside him: the work must bear that.
    """
    token = token_hex(8)
    if not await redis.set(name, token, nx=True, px=_LIFE_MS):
        yield False
        return
    extend = load(redis, "extend_lease")

    async def keep() -> None:
        while True:
            await asyncio.sleep(_LIFE_MS / 4000)
            await extend(keys=[name], args=[token, _LIFE_MS])

    keeper = asyncio.create_task(keep(), name=f"keep-{name}")
    try:
        yield True
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await extend(keys=[name], args=[token, 1])

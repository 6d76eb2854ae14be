"""Finds an empty numbered database of a Redis server for the benchmark alone. Called by `ground`.

A server that REDIS_URL names may hold data of somebody: what is not empty is never touched.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis

from dev.servers import ServersError

_MARK = "helix:bench"
"""Keeps the database from looking empty to others between two contests."""
_CLAIM = """
    if redis.call('DBSIZE') == 0 then
      return redis.call('SET', KEYS[1], '1') and 1
    end
    return 0
"""


@asynccontextmanager
async def own_database(url: str) -> AsyncIterator[str]:
    """The address of a database that was empty, and is so again afterwards. Raises ServersError."""
    async with Redis.from_url(url) as redis:
        count = int((await redis.config_get("databases"))["databases"])
    numbers = list(range(1, count))
    secrets.SystemRandom().shuffle(numbers)
    for number in numbers:
        own = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
        async with Redis.from_url(own) as redis:
            if not await redis.eval(_CLAIM, 1, _MARK):
                continue
            try:
                yield own
            finally:
                await redis.flushdb()
            return
    raise ServersError("no empty Redis database is left; see `databases` in its configuration")


async def wipe(redis: Redis) -> None:
    """Empties our database, which stays ours."""
    async with redis.pipeline(transaction=True) as pipe:
        pipe.flushdb()
        pipe.set(_MARK, "1")
        await pipe.execute()

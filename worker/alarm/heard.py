"""Notes when a channel was last heard from. Called by the drain, read by `channels`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

HEARD = "helix:channels:heard"
"""Sorted set: channels (canal_id), by when their newest event came, in ms."""
_PRECISION_MS = 60_000


class Heard:
    """Costs a call of Redis once a minute and channel. One per process."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._noted: dict[int, int] = {}

    async def note(self, newest: Mapping[int, int]) -> None:
        """By channel, when its newest event came. Raises RedisError; a full one is told later."""
        news = {
            canal_id: ms
            for canal_id, ms in newest.items()
            if ms - self._noted.get(canal_id, 0) >= _PRECISION_MS
        }
        if news:
            with suppress(OutOfMemoryError):  # a drain makes room: this must not hold it up
                await self._redis.zadd(HEARD, {str(id_): ms for id_, ms in news.items()}, gt=True)
                self._noted |= news

"""Redis's clock, told by this machine's steady one. Used by the worker process for arq.

arq looks for due jobs by the clock of its machine: one that is a minute behind finds nothing for a
minute, one that is ahead finds everything too early. The times of jobs are Redis's.
"""

from __future__ import annotations

import asyncio
import time

import arq.worker
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

_LOOK_EVERY_S = 2.0
_NOTABLE_MS = 1000


class RedisClock:
    """One per process."""

    def __init__(self) -> None:
        self._ahead_ms = time.time() * 1000 - _steady_ms()
        """Of the steady clock. Our own until Redis was asked."""

    def now_ms(self) -> int:
        """Redis's time, without asking it."""
        return int(_steady_ms() + self._ahead_ms)

    async def look(self, redis: Redis) -> None:
        """Asks Redis; it may have another clock after a failover. Raises RedisError."""
        asked = _steady_ms()
        seconds, micros = await redis.time()
        between = (asked + _steady_ms()) / 2
        self._ahead_ms = int(seconds) * 1000 + int(micros) / 1000 - between

    async def keep(self, redis: Redis) -> None:
        """Asks for ever. While Redis is away the steady clock goes on."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look(redis)
            except (RedisError, OSError) as error:
                log.debug("clock not asked", error=type(error).__name__)

    async def rule(self, redis: Redis) -> None:
        """From now on arq goes by this clock, in all of this process. Raises RedisError."""
        await self.look(redis)
        apart_ms = int(time.time() * 1000) - self.now_ms()
        if abs(apart_ms) > _NOTABLE_MS:
            log.warning("this machine's clock is not Redis's", ahead_s=apart_ms / 1000)
        # arq has no setting for it: this is the one name by which its worker asks for the time.
        arq.worker.timestamp_ms = self.now_ms  # type: ignore[attr-defined]


def _steady_ms() -> float:
    return time.monotonic() * 1000

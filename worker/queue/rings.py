"""Hears the rings that `worker/lua/ring.lua` announces. Used by `worker.queue.woken`.

One subscription per process, for all its queues. A ring that is not heard costs a short wait:
whoever rests on it looks again by himself.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

CHANNEL = "helix:wake"
"""What is said there is the name of an arq queue in which something changed."""
_LISTEN_S = 5.0
_PAUSE_S = 1.0


class RingListener:
    """Wakes those who rest until something changes in their queue."""

    def __init__(self) -> None:
        self._rung: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.heard = False
        """Whether rings are heard at this moment: not while Redis is away."""

    def reset(self, queue: str) -> None:
        """Before looking at the queue: what rings from here on ends the next rest."""
        self._rung[queue].clear()

    async def rest(self, queue: str, *, longest_s: float) -> None:
        """Until the queue has been rung for since `reset`; never longer than `longest_s`."""
        try:
            async with asyncio.timeout(longest_s):
                await self._rung[queue].wait()
        except TimeoutError:
            return

    async def listen_for_ever(self, redis: Redis) -> None:
        """Listens until cancelled. What was rung for meanwhile is looked at when it hears again."""
        while True:
            try:
                async with redis.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    while True:
                        message = await pubsub.get_message(timeout=_LISTEN_S)
                        if message is not None:
                            self._take(message["type"], message["data"])
            except (RedisError, OSError) as error:
                log.warning("rings are not heard", error=str(error))
            finally:
                self.heard = False
            await asyncio.sleep(_PAUSE_S)

    def _take(self, kind: str, data: object) -> None:
        if kind == "subscribe":  # also after the client has connected again by itself
            self.heard = True
            for rung in self._rung.values():
                rung.set()
        elif kind == "message" and isinstance(data, bytes):
            self._rung[data.decode(errors="replace")].set()

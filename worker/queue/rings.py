"""Hears the rings that `worker/lua/ring.lua` announces. Used by `worker.queue.woken`.

One subscription per process, for all its queues. A ring that is not heard costs a short wait:
whoever rests on it looks again by himself.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

from redis.asyncio import Redis

from worker.queue.listen import listen_for_ever

CHANNEL = "helix:wake"
"""What is said there is the name of an arq queue in which something changed."""


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
        await listen_for_ever(redis, CHANNEL, self)

    def subscribed(self) -> None:
        """Any queue may have been rung for meanwhile."""
        self.heard = True
        for rung in self._rung.values():
            rung.set()

    def said(self, words: bytes) -> None:
        """The name of a queue."""
        self._rung[words.decode(errors="replace")].set()

    def deaf(self) -> None:
        """Until `subscribed` whoever rests looks again by himself, more often."""
        self.heard = False

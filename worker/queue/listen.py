"""Hears what is said on a channel of Redis. Used by `worker.queue.rings` and `worker.announce`.

What is said while nobody hears is lost: whoever listens must know how to do without it.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

log = structlog.get_logger()

_LISTEN_S = 5.0
_PAUSE_S = 1.0


class Listener(Protocol):
    """Who wants to hear. None of its methods may fail."""

    def subscribed(self) -> None:
        """From here on everything is heard; something may have been missed before."""

    def said(self, words: bytes) -> None:
        """One message."""

    def deaf(self) -> None:
        """Nothing is heard until `subscribed` is called again."""


async def listen_for_ever(redis: Redis, channel: str, listener: Listener) -> None:
    """Listens until cancelled; subscribes again whenever Redis was away."""
    while True:
        try:
            async with redis.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                await _hear(pubsub, listener)
        except (RedisError, OSError) as error:
            log.warning("channel not heard", channel=channel, error=str(error))
        finally:
            listener.deaf()
        await asyncio.sleep(_PAUSE_S)


async def _hear(pubsub: PubSub, listener: Listener) -> None:
    while True:
        message = await pubsub.get_message(timeout=_LISTEN_S)
        if message is None:
            continue
        if message["type"] == "subscribe":  # also after the client has connected again by itself
            listener.subscribed()
        elif message["type"] == "message" and isinstance(message["data"], bytes):
            listener.said(message["data"])

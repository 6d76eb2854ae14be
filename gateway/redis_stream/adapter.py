"""The gateway that reads from Redis, as `gateway.adapters.outlets` offers it.

It has no webhook: it pushes its events with the Redis function `helix_push`, and needs no
credentials here, for it has those of Redis.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import aiohttp
from redis.asyncio import Redis

from gateway.credentials import Credentials, read
from gateway.findings import Finding
from gateway.redis_stream.diagnose import diagnose
from gateway.redis_stream.send import HandOver
from gateway.traits import Traits
from schema.channels import Channel
from schema.replies import Reply, Sent

KIND = "redis"


class RedisStream:
    """Made with the client of the process; see `gateway.adapters.Outlet`."""

    kind = KIND
    traits = Traits(window=None, paced=False, tells=True, reports=True)
    secret_keys: Mapping[str, bool] = MappingProxyType({})

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._hand_over = HandOver(redis)

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """There are none; raises BadCredentials for any."""
        read(Credentials, KIND, credentials)

    async def send(
        self,
        session: aiohttp.ClientSession,  # noqa: ARG002 no HTTP here
        channel: Channel,
        reply: Reply,
        *,
        timeout_s: float,  # noqa: ARG002 the client has one
    ) -> Sent:
        """See `gateway.redis_stream.send`: a status event tells the message's id."""
        await self._hand_over.send(channel, reply)

    async def recall(self, channel: Channel, our_ref: str) -> bool:
        """See `gateway.adapters.Recalling`."""
        return await self._hand_over.recall(channel, our_ref)

    async def diagnose(
        self,
        session: aiohttp.ClientSession,  # noqa: ARG002 no HTTP here
        channel: Channel,
        *,
        timeout_s: float,
    ) -> list[Finding]:
        """See `gateway.redis_stream.diagnose`."""
        return await diagnose(self._redis, channel, timeout_s=timeout_s)

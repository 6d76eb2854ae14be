"""Looks whether somebody reads a channel's reply stream. Called through the adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from gateway.findings import Finding, good, unseen, wrong
from gateway.redis_stream.send import GROUP, LIFE_S, stream_of
from schema.channels import Channel

_SOON_S = 5
"""A consumer that runs has taken a reply by then."""


async def diagnose(redis: Redis, channel: Channel, *, timeout_s: float) -> list[Finding]:
    """The function, the stream and its group, what waits to be taken and to be reported."""
    try:
        async with asyncio.timeout(timeout_s):
            return [await _function(redis), *await _stream(redis, channel)]
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        return [wrong(f"Redis does not answer: {type(error).__name__}", "see that Redis runs")]


async def _function(redis: Redis) -> Finding:
    try:
        version = int(await cast("Awaitable[int]", redis.fcall_ro("helix_version", 0)))
    except ResponseError:
        return wrong("Redis has no function helix_push", "start a worker: it registers it")
    return good(f"Redis has the function helix_push, contract version {version}")


async def _stream(redis: Redis, channel: Channel) -> list[Finding]:
    stream = stream_of(channel.identifier)
    create = f"the gateway does XGROUP CREATE {stream} {GROUP} 0 MKSTREAM when it starts"
    if not await redis.exists(stream):
        return [wrong(f"there is no stream {stream}: nobody reads it", create)]
    groups: list[dict[str, Any]] = await redis.xinfo_groups(stream)
    group = next((each for each in groups if _name(each) == GROUP), None)
    if group is None:
        return [wrong(f"the stream {stream} has no group {GROUP!r}: nobody reads it", create)]
    return [
        good(f"the stream {stream} has the group {GROUP!r}"),
        await _unread(redis, stream, group),
        await _unreported(redis, stream),
    ]


async def _unread(redis: Redis, stream: str, group: dict[str, Any]) -> Finding:
    """Whether replies wait: a consumer that is idle, or blocks, looks the same to Redis 7.0."""
    last = group["last-delivered-id"].decode()
    waiting = await redis.xrange(stream, min=f"({last}", max="+", count=1000)
    if not waiting:
        if group["consumers"]:
            return good("no reply waits to be taken")
        return unseen("no reply waits, and nobody has taken one yet", "write as a buyer")
    seconds, _ = await redis.time()
    waited_s = seconds - int(waiting[0][0].partition(b"-")[0]) // 1000
    if waited_s < _SOON_S:
        return good(f"{len(waiting)} repl(ies) wait to be taken, for less than {_SOON_S} s")
    return wrong(
        f"{len(waiting)} repl(ies) wait and nobody takes them",
        f"start the gateway: it reads {stream} with XREADGROUP, group {GROUP!r}",
    )


async def _unreported(redis: Redis, stream: str) -> Finding:
    oldest = await redis.xpending_range(stream, GROUP, min="-", max="+", count=1)
    idle_s = oldest[0]["time_since_delivered"] / 1000 if oldest else 0.0
    if idle_s <= LIFE_S:
        return good("what was taken is reported")
    return wrong(
        f"a reply was taken {idle_s:.0f} s ago and is not reported",
        "the gateway must push a status event for each, and XAUTOCLAIM what a dead consumer left",
    )


def _name(group: dict[str, Any]) -> str:
    name = group["name"]
    return name.decode() if isinstance(name, bytes) else str(name)

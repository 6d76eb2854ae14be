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

_SILENT_S = 60.0
"""A consumer reads with BLOCK of some seconds: longer silence means that it is gone."""


async def diagnose(redis: Redis, channel: Channel, *, timeout_s: float) -> list[Finding]:
    """The function, the stream and its group, the consumers, what waits."""
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
        await _consumers(redis, stream),
        await _waiting(redis, stream, group),
    ]


async def _consumers(redis: Redis, stream: str) -> Finding:
    consumers: list[dict[str, Any]] = await redis.xinfo_consumers(stream, GROUP)
    awake = [each for each in consumers if each["idle"] < _SILENT_S * 1000]
    if awake:
        return good(f"{len(awake)} consumer(s) read it")
    start = "start the gateway; it reads with XREADGROUP and a BLOCK below a minute"
    if not consumers:
        return wrong("no consumer has ever read it", start)
    idle_s = min(each["idle"] for each in consumers) // 1000
    return wrong(f"no consumer has asked for {idle_s} s", start)


async def _waiting(redis: Redis, stream: str, group: dict[str, Any]) -> Finding:
    taken = int(group["pending"])
    stand = int(await redis.xlen(stream))
    if taken:
        (oldest,) = await redis.xpending_range(stream, GROUP, min="-", max="+", count=1)
        idle_s = oldest["time_since_delivered"] / 1000
        if idle_s > LIFE_S:
            return wrong(
                f"{taken} taken repl(ies) without a report, the oldest for {idle_s:.0f} s",
                "the gateway must push a status event for each, and XAUTOCLAIM what a dead"
                " consumer has left",
            )
    unread = max(0, stand - taken)
    if unread > 100:
        return unseen(f"{unread} replies wait to be taken", "see that the gateway keeps up")
    return good(f"{unread} repl(ies) wait to be taken, {taken} are taken and not yet reported")


def _name(group: dict[str, Any]) -> str:
    name = group["name"]
    return name.decode() if isinstance(name, bytes) else str(name)

"""Looks at Redis: whether what it has taken is safe there. Called by `.run`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from worker.doctor.values import Finding, of_clock, red, warning
from worker.queue.functions import VERSION, Functions

_SUBJECT = "redis"
_LEAST = (7, 0)
_FULL_SHARE = 0.8
_PAGE = "docs/redis.md"


async def look(redis: Redis) -> list[Finding]:
    """Raises RedisError when it does not answer."""
    before = time.time()
    seconds, micros = await redis.time()
    ahead_s = int(seconds) + int(micros) / 1e6 - (before + time.time()) / 2
    info: Mapping[str, Any] = await redis.info()
    try:
        config: Mapping[str, str] | None = await redis.config_get("append*")
    except ResponseError:
        config = None  # a managed server: it keeps its configuration to itself
    return [
        *of_clock(_SUBJECT, ahead_s),
        *_version(str(info.get("redis_version", ""))),
        *_disk(info, config),
        *_memory(info),
        *await _functions(redis),
    ]


def silent(error: Exception) -> Finding:
    """It does not answer."""
    return red(
        "redis_silent",
        _SUBJECT,
        f"it does not answer ({type(error).__name__})",
        why="all webhooks get 503 and nothing is worked on",
        mend="start it, or mend REDIS_URL; gateways bring their events again",
    )


def _version(version: str) -> Iterator[Finding]:
    number = re.match(r"(\d+)\.(\d+)", version)
    if number is None or (int(number[1]), int(number[2])) < _LEAST:
        yield red(
            "redis_version",
            _SUBJECT,
            f"version {version or 'unknown'}",
            why="the functions that gateways call need Redis 7.0",
            mend="install Redis 7.0 or newer",
        )


def _disk(info: Mapping[str, Any], config: Mapping[str, str] | None) -> Iterator[Finding]:
    if not int(info.get("aof_enabled", 0)):
        yield red(
            "redis_persistence",
            _SUBJECT,
            "nothing that it takes is on disk (appendonly no)",
            why="a 200 to the gateway means that the event is safe: a restart loses all",
            mend=f"appendonly yes; appendfsync always in redis.conf, see {_PAGE}",
        )
    elif config is None:
        yield warning(
            "redis_unseen",
            _SUBJECT,
            "it does not tell its appendfsync",
            why="with everysec a crash costs up to a second of events",
            mend="ask whoever runs it",
        )
    elif config.get("appendfsync") != "always":
        yield warning(
            "redis_fsync",
            _SUBJECT,
            f"appendfsync {config.get('appendfsync')}",
            why="a crash of its machine loses events that were answered with 200",
            mend="CONFIG SET appendfsync always, and the same in redis.conf",
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        yield red(
            "redis_disk",
            _SUBJECT,
            "its last write to disk failed",
            why="it refuses all writes until one succeeds",
            mend="look at its disk: full, or broken",
        )


def _memory(info: Mapping[str, Any]) -> Iterator[Finding]:
    policy, most = str(info.get("maxmemory_policy", "")), int(info.get("maxmemory", 0))
    if policy != "noeviction":
        yield red(
            "redis_eviction",
            _SUBJECT,
            f"maxmemory-policy {policy}",
            why="when it is full it throws inboxes away, without a word",
            mend="CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
        )
    if not most:
        yield warning(
            "redis_unlimited",
            _SUBJECT,
            "maxmemory is not set",
            why="a backlog that grows is ended by the system, which kills it",
            mend=f"maxmemory below what the machine has, see {_PAGE}",
        )
    elif int(info.get("used_memory", 0)) > _FULL_SHARE * most:
        yield red(
            "redis_full",
            _SUBJECT,
            f"{100 * int(info['used_memory']) // most} % of its memory are in use",
            why="at 100 % all webhooks get 503",
            mend="helix status tells whose inbox it is; raise maxmemory",
        )


async def _functions(redis: Redis) -> list[Finding]:
    try:
        version = await Functions(redis).version()
    except ResponseError as error:
        version = 0 if "unknown command" in str(error) else -1
    if version >= VERSION:
        return []
    what = "the functions are not there" if version <= 0 else f"functions of version {version}"
    return [
        warning(
            "redis_functions",
            _SUBJECT,
            f"{what}; this release brings {VERSION}",
            why="gateways that push by themselves are refused",
            mend="start a worker of this release: it registers them",
        )
    ]

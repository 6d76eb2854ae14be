"""Registers and calls the Redis functions that gateways call, too: see docs/redis-contract.md.

They are a function library and no script, so that a gateway needs a name and nothing of ours. Redis
keeps them on disk and copies them to its replicas. Used by the inbox and by worker processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from worker.queue.keys import INBOX_LIMITS

log = structlog.get_logger()

_LUA = files("worker") / "lua"
LIBRARY = "\n".join(
    ["#!lua name=helix", (_LUA / "ring.lua").read_text(), (_LUA / "contract.lua").read_text()]
)
VERSION = 3
"""That of contract.lua; rises when a new release of the library must replace an older one."""
_UNKNOWN = "Function not found"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxLimits:
    """How much may wait on one dealer's inbox; above it `helix_push` takes nothing."""

    events: int
    bytes: int
    """Of the events' JSON."""


class TooFewCopies(RedisError):
    """The master has it, too few replicas say so: repeat the call, which changes nothing more."""


@dataclass(frozen=True, slots=True)
class Copies:
    """How many replicas must have a write, and how long to wait for them."""

    count: int
    wait_ms: int


NO_COPIES = Copies(0, wait_ms=0)


class Functions:
    """The library in one Redis. Its first use sees to it that the library is this release's."""

    def __init__(
        self, redis: Redis, limits: InboxLimits | None = None, *, copies: Copies = NO_COPIES
    ) -> None:
        """`limits`: those that this process was told; None leaves what others have set.
        `copies`: the replicas that must have what a call wrote."""
        self._redis = redis
        self._limits = limits
        self._copies = copies
        self._registered = False

    async def call(self, name: str, keys: Sequence[str], args: Sequence[bytes]) -> object:
        """FCALL, also after Redis has lost its functions. Raises RedisError, TooFewCopies."""
        if not self._registered:
            await self.register()
        try:
            return await self._fcall(name, keys, args)
        except ResponseError as error:
            if _UNKNOWN not in str(error):
                raise
        await self.register()
        return await self._fcall(name, keys, args)

    async def register(self) -> None:
        """Loads the library unless this very one, or one with a higher version, is there.

        A newer one stays: while releases change, old and new processes start side by side.
        """
        if await self.version() <= VERSION and not await self._is_loaded():
            await cast("Awaitable[bytes]", self._redis.function_load(LIBRARY, replace=True))
            log.info("redis functions registered", version=VERSION)
        await self.set_limits()
        self._registered = True

    async def set_limits(self) -> None:
        """Tells `helix_push`, which gateways in other languages call, too."""
        if self._limits is not None:
            told = {"events": self._limits.events, "bytes": self._limits.bytes}
            await cast("Awaitable[int]", self._redis.hset(INBOX_LIMITS, mapping=dict(told)))

    async def version(self) -> int:
        """Of the library that is there; 0 when there is none."""
        try:
            return int(await cast("Awaitable[int]", self._redis.fcall_ro("helix_version", 0)))
        except ResponseError as error:
            if _UNKNOWN in str(error):
                return 0
            raise

    async def _fcall(self, name: str, keys: Sequence[str], args: Sequence[bytes]) -> object:
        given: list[Any] = [*keys, *args]
        if self._copies.count:
            return await self._fcall_copied(name, len(keys), given)
        return await cast("Awaitable[object]", self._redis.fcall(name, len(keys), *given))

    async def _fcall_copied(self, name: str, keys: int, given: Sequence[Any]) -> object:
        """WAIT counts what its own connection wrote, so both go the same way, at once."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.fcall(name, keys, *given)
            pipe.wait(self._copies.count, self._copies.wait_ms)
            # Else the error's text would hold the events.
            done, reached = await pipe.execute(raise_on_error=False)
        for answer in (done, reached):
            if isinstance(answer, Exception):
                raise answer
        if reached < self._copies.count:
            raise TooFewCopies(f"{reached} of {self._copies.count} replicas have it")
        return cast("object", done)

    async def _is_loaded(self) -> bool:
        asked = self._redis.function_list(library="helix", withcode=True)
        return LIBRARY.encode() in _texts(await cast("Awaitable[list[object]]", asked))


async def keep_registered(
    redis: Redis, limits: InboxLimits | None = None, *, every_s: float = 10.0
) -> None:
    """For ever: a Redis may come back without its functions, and gateways cannot load them.

    The same goes for the limits that they keep.
    """
    functions = Functions(redis, limits)
    while True:
        try:
            if await functions.version() < VERSION:
                await functions.register()
            await functions.set_limits()
        except (RedisError, OSError) as error:
            log.warning("redis functions not registered", error=type(error).__name__)
        await asyncio.sleep(every_s)


def _texts(found: object) -> list[bytes]:
    """All texts of a FUNCTION LIST answer, however its maps come (RESP2 has none)."""
    if isinstance(found, bytes | str):
        return [found.encode() if isinstance(found, str) else found]
    if isinstance(found, dict):
        found = [*found.keys(), *found.values()]
    return [text for part in found for text in _texts(part)] if isinstance(found, list) else []

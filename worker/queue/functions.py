"""Registers and calls the Redis functions that gateways call, too: see docs/redis-contract.md.

They are a function library and no script, so that a gateway needs a name and nothing of ours. Redis
keeps them on disk and copies them to its replicas. Used by the inbox and by worker processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from importlib.resources import files
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

log = structlog.get_logger()

_LUA = files("worker") / "lua"
LIBRARY = "\n".join(
    ["#!lua name=helix", (_LUA / "ring.lua").read_text(), (_LUA / "contract.lua").read_text()]
)
VERSION = 3
"""That of contract.lua; rises when a new release of the library must replace an older one."""
_UNKNOWN = "Function not found"


class Functions:
    """The library in one Redis. Its first use sees to it that the library is this release's."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._registered = False

    async def call(self, name: str, keys: Sequence[str], args: Sequence[bytes]) -> object:
        """FCALL, also after Redis has lost its functions. Raises RedisError."""
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
        self._registered = True

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
        return await cast("Awaitable[object]", self._redis.fcall(name, len(keys), *given))

    async def _is_loaded(self) -> bool:
        asked = self._redis.function_list(library="helix", withcode=True)
        return LIBRARY.encode() in _texts(await cast("Awaitable[list[object]]", asked))


async def keep_registered(redis: Redis, *, every_s: float = 10.0) -> None:
    """For ever: a Redis may come back without its functions, and gateways cannot load them."""
    functions = Functions(redis)
    while True:
        try:
            if await functions.version() < VERSION:
                await functions.register()
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

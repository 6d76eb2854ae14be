"""Says in Redis which worker processes run, how they are, and which versions they use.

Written by `helix worker` and `helix web`; read by `helix pools`, `helix status` and by a change of
a dealer's password.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from worker.announce import announce
from worker.queue.scripts import load

log = structlog.get_logger()

PROCESSES = "helix:workers"
"""All worker processes, by the time in ms when they were last heard of."""
WEBS = "helix:webs"
"""The same for web processes; nobody waits for what they say."""
_EVERY_S = 5.0
_GONE_MS = 20_000
"""Who has been silent for this long has gone."""
_ACKNOWLEDGED_S = 3600

Show = Callable[[], Mapping[str, object]]


def report_of(process: str) -> str:
    """What a process says of itself, as JSON."""
    return f"helix:worker:{process}"


def versions_in_use(empresa_id: int) -> str:
    """Hash: the version of the empresa's row that each process uses, once it uses no older one."""
    return f"helix:{{{empresa_id}}}:versao"


class Presence:
    """This process, as the others see it."""

    def __init__(self, redis: Redis, report: Show, *, among: str = PROCESSES) -> None:
        self._redis = redis
        self._report = report
        self._among = among
        self._show = load(redis, "show")
        self.name = f"{socket.gethostname()}:{os.getpid()}:{token_hex(3)}"

    async def show(self) -> None:
        """To be called before anything is read from the registry, and again every few seconds."""
        await self._show(
            keys=[self._among, report_of(self.name)],
            args=[self.name, orjson.dumps(self._report()), _GONE_MS],
        )

    async def show_for_ever(self) -> None:
        """Until cancelled; Redis may come and go meanwhile."""
        while True:
            try:
                await self.show()
            except (RedisError, OSError) as error:
                log.warning("presence not shown", error=str(error))
            await asyncio.sleep(_EVERY_S)

    async def acknowledge(self, empresa_id: int, versao: int) -> None:
        """Nothing in this process uses an older version any more. Lost: it is asked for again."""
        key = versions_in_use(empresa_id)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(key, self.name, str(versao))
                pipe.expire(key, _ACKNOWLEDGED_S)
                await pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("version not acknowledged", empresa_id=empresa_id, error=str(error))

    async def leave(self) -> None:
        """The process ends and uses nothing any more."""
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.zrem(self._among, self.name)
                pipe.delete(report_of(self.name))
                await pipe.execute()
        except (RedisError, OSError) as error:
            log.info("presence not taken back; it runs out", error=str(error))


class Workers:
    """All worker processes that run, from outside. The `Changeover` of `tenancy.password`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def names(self, among: str = PROCESSES) -> list[str]:
        """Of all that were heard of lately."""
        since = await _now_ms(self._redis) - _GONE_MS
        found = await self._redis.zrangebyscore(among, since, "+inf")
        return sorted(_text(name) for name in found)

    async def reports(self) -> dict[str, dict[str, object]]:
        """What they said of themselves last."""
        names = await self.names()
        bodies = await self._redis.mget([report_of(name) for name in names]) if names else []
        return {name: orjson.loads(body) for name, body in zip(names, bodies, strict=True) if body}

    async def announce(self, empresa_id: int, versao: int) -> None:
        """See `tenancy.password.Changeover`."""
        await announce(self._redis, empresa_id, versao)

    async def missing(self, empresa_id: int, versao: int) -> list[str]:
        """See `tenancy.password.Changeover`. Who starts later reads the new row anyway."""
        names = await self.names()
        # Typed as if a synchronous client might have been given.
        asked: Any = self._redis.hgetall(versions_in_use(empresa_id))
        told = await asked
        used = {_text(name): int(version) for name, version in told.items()}
        return [name for name in names if used.get(name, 0) < versao]


async def _now_ms(redis: Redis) -> int:
    seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value

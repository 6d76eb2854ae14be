"""Carries "this empresa's row changed" between processes, over Redis. See `tenancy.watch`.

Announced by the command line, heard by every web and worker process.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tenancy.watch import ConfigWatch, Settled
from worker.queue.bell import Bell
from worker.queue.keys import Task
from worker.queue.listen import listen_for_ever

log = structlog.get_logger()

CHANNEL = "tenancy:invalidate"


async def announce(redis: Redis, empresa_id: int, versao: int) -> int:
    """Tells all processes; returns how many listen. `versao` is the row's new one."""
    body = orjson.dumps({"empresa_id": empresa_id, "versao": versao})
    return int(await redis.publish(CHANNEL, body))


def ring_when_settled(bell: Bell, then: Settled) -> Settled:
    """For `ConfigWatch.settled`: a changed row may be a mended one, or one that is no longer
    paused: what waits for that is looked at now."""

    async def settled(empresa_id: int, versao: int) -> None:
        try:
            for task in Task:
                await bell.ring(task, empresa_id, end_wait=True)
        except (RedisError, OSError) as error:  # they are looked at again by themselves
            log.warning("changed empresa not rung", empresa_id=empresa_id, error=str(error))
        await then(empresa_id, versao)

    return settled


def forget_when_settled(forget: Callable[[int], None], then: Settled) -> Settled:
    """For `ConfigWatch.settled`: what this process keeps of the empresa is read anew."""

    async def settled(empresa_id: int, versao: int) -> None:
        forget(empresa_id)
        await then(empresa_id, versao)

    return settled


async def hear_for_ever(redis: Redis, watch: ConfigWatch) -> None:
    """Listens until cancelled. What is said while Redis is away is lost: so each time that the
    subscription is made, everything counts as changed."""
    await listen_for_ever(redis, CHANNEL, _Announced(watch))


class _Announced:
    """Tells the watch what is announced."""

    def __init__(self, watch: ConfigWatch) -> None:
        self._watch = watch

    def subscribed(self) -> None:
        self._watch.missed()

    def said(self, words: bytes) -> None:
        try:
            body = orjson.loads(words)
            empresa_id, versao = int(body["empresa_id"]), int(body["versao"])
        except (KeyError, TypeError, ValueError):
            log.warning("announcement not understood", bytes=len(words))
            self._watch.missed()
        else:
            self._watch.changed(empresa_id, versao)

    def deaf(self) -> None:
        """The watch also looks by itself now and then."""

"""Tells the running processes that a dealer's row changed. Used by the commands that change one."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from worker.announce import announce
from worker.cli.output import note
from worker.settings import WorkerSettings

_PATIENCE_S = 1.0


def client() -> Redis:
    """Redis as REDIS_URL names it."""
    made: Redis = Redis.from_pool(WorkerSettings().redis(timeout_s=_PATIENCE_S))
    return made


async def tell(empresa_id: int, versao: int = 0) -> None:
    """The change is stored already; without Redis the processes find it by themselves."""
    try:
        async with client() as redis:
            await announce(redis, empresa_id, versao)
    except RedisError as error:
        note(f"not announced ({type(error).__name__}): processes see it within 40 s")


async def tell_all(empresas: Sequence[int]) -> None:
    """As `tell`, of many whose rows stayed as they are."""
    if not empresas:
        return
    try:
        async with client() as redis:
            for empresa_id in empresas:
                await announce(redis, empresa_id, 0)
    except RedisError as error:
        note(f"not announced ({type(error).__name__}): what waits is looked at within 40 s")

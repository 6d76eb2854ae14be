"""Says what is being done for a dealer. The `Processes` of `tenancy.life`, for `helix empresa`."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import TryAgain
from worker.presence import Workers
from worker.queue.keys import Task, TaskKeys

_WAITING = b"waiting"
"""A lease of nobody: the way to the work is broken, see `leave.lua`."""


class AtWork:
    """All methods raise TryAgain while Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._workers = Workers(redis)

    async def announce(self, empresa_id: int, versao: int) -> None:
        """See `tenancy.password.Changeover`."""
        try:
            await self._workers.announce(empresa_id, versao)
        except RedisError as error:
            raise _away() from error

    async def missing(self, empresa_id: int, versao: int) -> list[str]:
        """See `tenancy.password.Changeover`."""
        try:
            return await self._workers.missing(empresa_id, versao)
        except RedisError as error:
            raise _away() from error

    async def busy(self, empresa_id: int) -> list[str]:
        """The tasks whose lease somebody holds; one of a worker that died runs out by itself."""
        tasks = list(Task)
        try:
            leases = await self._redis.mget([TaskKeys(empresa_id, task).lease for task in tasks])
        except RedisError as error:
            raise _away() from error
        held = zip(tasks, leases, strict=True)
        return [task.value for task, lease in held if lease not in (None, _WAITING)]


def _away() -> TryAgain:
    return TryAgain("Redis does not answer: nobody knows what is being done for the dealer")

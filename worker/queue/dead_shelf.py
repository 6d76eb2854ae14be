"""Reads dead letters and takes them away, each in one atomic step. Called by `worker.dead`.

A letter is found by the name of its stream and its id there. An id never names another letter: the
streams stay when they are empty, and with them the last id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from redis.asyncio import Redis

from worker.queue.bell import new_job_id
from worker.queue.keys import (
    ALL_DEAD_LETTERS,
    QUEUE,
    Task,
    TaskKeys,
    arq_job,
    empresa_of,
    held,
    inbox,
)
from worker.queue.lease import StreamEntry
from worker.queue.scripts import load

_SCAN_AT_ONCE = 1_000
_READ_AT_ONCE = 500


class DeadShelf:
    """All streams of dead letters of one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._replay = load(redis, "replay_event")
        self._settle = load(redis, "settle_dead")

    async def empresas(self) -> list[int]:
        """Every empresa that has, or once had, a dead letter."""
        found = set()
        async for key in self._redis.scan_iter(match=ALL_DEAD_LETTERS, count=_SCAN_AT_ONCE):
            found.add(empresa_of(key))
        return sorted(empresa_id for empresa_id in found if empresa_id is not None)

    async def read(
        self, stream: str, *, since_ms: int | None = None, until_ms: int | None = None
    ) -> AsyncIterator[StreamEntry]:
        """The entries that were written in this time, both ends included, the oldest first."""
        start = "-" if since_ms is None else str(since_ms)
        end = "+" if until_ms is None else str(until_ms)
        while True:
            entries = await self._redis.xrange(stream, start, end, count=_READ_AT_ONCE)
            for entry in entries:
                yield entry
            if len(entries) < _READ_AT_ONCE:
                return
            start = f"({entries[-1][0].decode()}"

    async def one(self, stream: str, stream_id: str) -> StreamEntry | None:
        """None when it is gone."""
        entries: list[StreamEntry] = await self._redis.xrange(stream, stream_id, stream_id)
        return entries[0] if entries else None

    async def replay_event(
        self, stream: str, stream_id: str, empresa_id: int, *, origin: str
    ) -> bool:
        """Moves an event to the empresa's inbox and rings. False when the letter is gone.

        `origin`: what it goes by when it names no message, should its letter not say.
        """
        keys = TaskKeys(empresa_id, Task.DRAIN)
        job_id = new_job_id(Task.DRAIN, empresa_id)
        moved = await self._replay(
            keys=[
                stream,
                inbox(empresa_id),
                keys.lease,
                keys.ring,
                keys.due,
                QUEUE,
                arq_job(job_id),
                held(empresa_id),
            ],
            args=[empresa_id, job_id, stream_id, origin],
        )
        return bool(moved)

    async def take_away(self, stream: str, stream_id: str) -> bool:
        """False when the letter is gone already."""
        return bool(await self._settle(keys=[stream], args=[stream_id, "", ""]))

    async def file_under(self, stream: str, stream_id: str, kind: str, *, cause: str) -> bool:
        """Makes it a letter of another kind, with a new id. False when it is gone."""
        return bool(await self._settle(keys=[stream], args=[stream_id, kind, cause]))

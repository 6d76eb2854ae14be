"""Deletes what Redis and the media store have of a dealer. The `Elsewhere` of a deletion.

A key that belongs to one dealer bears his id in braces: `worker.queue.keys.all_of` finds them all.
What stands beside others' in a shared key is taken out one by one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.redis_stream.send import stream_of
from schema.errors import TryAgain
from tenancy.life.certificate import Channel
from worker.alarm.book import ALARMS
from worker.alarm.channels import USUAL
from worker.alarm.heard import HEARD
from worker.alarm.values import Kind
from worker.alarm.waits import KNOWN_WAITS
from worker.media.store import MediaStore
from worker.queue.keys import (
    DELIVERY_QUEUE,
    NEW_DEAD_LETTERS,
    QUEUE,
    STOPPED_CHANNELS,
    UNKNOWN_CHANNEL,
    UNREADABLE,
    WAIT_FOR_LUCAS,
    WAIT_FOR_PERSON,
    Task,
    TaskKeys,
    all_of,
)

_AT_ONCE = 1_000


class Forget:
    """Counts and deletes, as often as one likes. Raises TryAgain while Redis does not answer."""

    def __init__(self, redis: Redis, files: MediaStore) -> None:
        self._redis = redis
        self._files = files

    async def count_keys(self, empresa_id: int) -> int:
        """See `tenancy.life.certificate.Elsewhere`."""
        try:
            return len(await self._keys(empresa_id))
        except RedisError as error:
            raise _away() from error

    async def forget(self, empresa_id: int, channels: list[Channel]) -> int:
        """See `tenancy.life.certificate.Elsewhere`."""
        try:
            await self._leave_shared(empresa_id, channels)
            await self._leave_streams(empresa_id, channels)
            keys = await self._keys(empresa_id)
            keys |= {stream_of(one.identifier).encode() for one in channels
                     if one.gateway == "redis"}  # fmt: skip
            return int(await self._redis.unlink(*keys)) if keys else 0
        except RedisError as error:
            raise _away() from error

    async def erase_files(self, empresa_id: int) -> int:
        """See `tenancy.life.certificate.Elsewhere`. Raises StoreUnavailable."""
        return await self._files.erase(empresa_id)

    async def _keys(self, empresa_id: int) -> set[bytes]:
        return {
            key
            for pattern in all_of(empresa_id)
            async for key in self._redis.scan_iter(match=pattern, count=_AT_ONCE)
        }

    async def _leave_shared(self, empresa_id: int, channels: list[Channel]) -> None:
        own, numbers = str(empresa_id), [str(one.id) for one in channels]
        jobs = {queue: await self._jobs(queue, empresa_id) for queue in (QUEUE, DELIVERY_QUEUE)}
        alarms = await self._alarms(empresa_id, numbers)
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in (WAIT_FOR_LUCAS, WAIT_FOR_PERSON):
                pipe.zrem(key, own)
            for task in Task:
                pipe.zrem(TaskKeys(empresa_id, task).due, own)
            pipe.hdel(KNOWN_WAITS, own)
            if numbers:
                pipe.srem(STOPPED_CHANNELS, *numbers)
                pipe.zrem(HEARD, *numbers)
                pipe.hdel(USUAL, *numbers)
            for queue, members in jobs.items():
                if members:
                    pipe.zrem(queue, *members)
            if alarms:
                pipe.hdel(ALARMS, *alarms)
            await pipe.execute()

    async def _jobs(self, queue: str, empresa_id: int) -> list[bytes]:
        pattern = all_of(empresa_id)[0]
        return [job async for job, _ in self._redis.zscan_iter(queue, match=pattern)]

    async def _alarms(self, empresa_id: int, channels: list[str]) -> list[str]:
        """Those of the dealer, and of his channels, which name no dealer."""
        theirs = {
            f"{kind}:{id_}"
            for kind in (Kind.CHANNEL_SILENT, Kind.CHANNEL_STOPPED)
            for id_ in channels
        }
        # Typed as if a synchronous client might have been given.
        asked: Any = self._redis.hgetall(ALARMS)
        return [
            name.decode()
            for name, body in (await asked).items()
            if name.decode() in theirs or _empresa_in(body) == empresa_id
        ]

    async def _leave_streams(self, empresa_id: int, channels: list[Channel]) -> None:
        """Lines about his dead letters, bodies that were not read, and events that came when his
        channels were gone already."""
        for stream in (NEW_DEAD_LETTERS, UNKNOWN_CHANNEL, UNREADABLE):
            theirs = [
                entry_id
                async for entry_id, fields in self._entries(stream)
                if _is_theirs(fields, empresa_id, channels)
            ]
            if theirs:
                await self._redis.xdel(stream, *theirs)

    async def _entries(self, stream: str) -> AsyncIterator[tuple[bytes, dict[bytes, bytes]]]:
        start = "-"
        while page := await self._redis.xrange(stream, start, count=_AT_ONCE):
            for entry in page:
                yield entry
            start = f"({page[-1][0].decode()}"


def _is_theirs(fields: Mapping[bytes, bytes], empresa_id: int, channels: list[Channel]) -> bool:
    told = {name: fields.get(name, b"").decode(errors="replace")
            for name in (b"empresa_id", b"canal_id", b"gateway", b"channel")}  # fmt: skip
    return told[b"empresa_id"] == str(empresa_id) or any(
        told[b"canal_id"] == str(one.id)
        or (told[b"gateway"], told[b"channel"]) == (one.gateway, one.identifier)
        for one in channels
    )


def _empresa_in(alarm: bytes) -> object:
    try:
        found = orjson.loads(alarm)
    except orjson.JSONDecodeError:
        return None
    return found.get("empresa_id") if isinstance(found, dict) else None


def _away() -> TryAgain:
    return TryAgain("Redis does not answer: what it has of the dealer is not known or not deleted")

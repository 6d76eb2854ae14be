"""Announcements reach the processes; when they were cut off, everything counts as changed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from tests.tenancy.peers import relay, until
from worker.announce import CHANNEL, announce, hear_for_ever

# Channels are the server's, not the database's: what other tests announce is heard here too.
_EMPRESA = 7_000_000 + secrets.randbelow(1_000_000)


class _Watch:
    """Notes what it is told of this test's empresa."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []
        self.misses = 0

    def changed(self, empresa_id: int, versao: int) -> None:
        if empresa_id == _EMPRESA:
            self.told.append((empresa_id, versao))

    def missed(self) -> None:
        self.misses += 1


@asynccontextmanager
async def _hearing(redis: Redis) -> AsyncIterator[_Watch]:
    watch = _Watch()
    task = asyncio.create_task(hear_for_ever(redis, watch))  # type: ignore[arg-type]

    async def subscribed() -> bool:
        return watch.misses == 1

    await until(subscribed)
    try:
        yield watch
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_an_announcement_is_heard(redis: Redis) -> None:
    """By every process that listens; what cannot be read counts as a change of everything."""
    async with _hearing(redis) as one, _hearing(redis) as other:
        assert await announce(redis, _EMPRESA, 3) >= 2
        await redis.publish(CHANNEL, b"[]")

        async def heard() -> bool:
            return one.misses == other.misses == 2

        await until(heard)
        assert one.told == other.told == [(_EMPRESA, 3)]


async def test_after_a_cut_everything_counts_as_changed(redis_url: str, redis: Redis) -> None:
    """The subscription comes back by itself, and says that messages may be missing."""
    async with relay(*_address(redis)) as way:
        client = Redis.from_url(redis_url.replace(f":{_address(redis)[1]}", f":{way.port}"))
        async with client, _hearing(client) as watch:
            way.cut()
            await announce(redis, _EMPRESA, 3)
            way.restore()

            async def back() -> bool:
                return watch.misses >= 2

            await until(back, within_s=15)
            await announce(redis, _EMPRESA, 4)
            await until(lambda: _told(watch))
            assert watch.told == [(_EMPRESA, 4)]


async def _told(watch: _Watch) -> bool:
    return bool(watch.told)


def _address(redis: Redis) -> tuple[str, int]:
    given = redis.connection_pool.connection_kwargs
    return str(given["host"]), int(given["port"])

"""The function library in Redis: there when it is needed, and never set back by an older release.

A Redis server has one library for all its databases, so these tests have a server of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dev.servers.redis_server import RedisServer
from tests.contract.conftest import CHANNEL, Gateway
from tests.worker.shop import event
from worker.queue.functions import LIBRARY, VERSION, Functions, keep_registered
from worker.queue.inbox import Inbox

_GOOD = {"kind": "text", "gateway": "redis", "channel": CHANNEL, "message_id": "A1", "text": "oi"}


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[Redis]:
    """A client of a new server, stopped afterwards."""
    server = RedisServer(tmp_path)
    dsn = server.start()
    try:
        async with Redis.from_url(str(dsn.get_secret_value())) as client:
            yield client
    finally:
        server.stop()


async def test_the_function_comes_back_after_redis_has_lost_it(own_redis: Redis) -> None:
    """Workers look every some seconds; a gateway only repeats its call."""
    gateway = Gateway(own_redis, 42)
    with pytest.raises(ResponseError, match="Function not found"):
        await gateway.push(_GOOD)

    keeper = asyncio.create_task(keep_registered(own_redis, every_s=0.01))
    try:
        async with asyncio.timeout(10):
            while await Functions(own_redis).version() != VERSION:
                pass
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    assert len(await gateway.push(_GOOD)) == 1


async def test_our_own_webhook_does_not_need_it_to_be_there(own_redis: Redis) -> None:
    """Its call registers the function, at first and whenever Redis does not know it."""
    inbox = Inbox(own_redis)
    await inbox.push(42, [event("oi")])
    await own_redis.execute_command("FUNCTION", "FLUSH")  # type: ignore[no-untyped-call]

    await inbox.push(42, [event("oi")])

    assert await inbox.depth(42) == 2


async def test_more_events_than_one_call_takes_are_stored_all(own_redis: Redis) -> None:
    """A large body of a gateway's comes in steps."""
    inbox = Inbox(own_redis)

    assert await inbox.push(42, [event("oi") for _ in range(1234)]) == 1234
    assert await inbox.depth(42) == 1234


async def test_an_older_release_leaves_a_newer_library_alone(own_redis: Redis) -> None:
    """While releases change, processes of both start in any order."""
    newer = LIBRARY.replace(f"local VERSION = {VERSION}\n", "local VERSION = 99\n")
    await own_redis.function_load(newer, replace=True)  # type: ignore[misc]

    await Functions(own_redis).register()

    assert await Functions(own_redis).version() == 99


async def test_another_text_of_the_same_release_is_replaced(own_redis: Redis) -> None:
    """A library that was changed by hand, or on a developer's machine."""
    await own_redis.function_load(f"{LIBRARY}\n-- changed", replace=True)  # type: ignore[misc]

    await Functions(own_redis).register()

    listed = await own_redis.function_list(library="helix", withcode=True)  # type: ignore[misc]
    assert LIBRARY.encode() in listed[0]

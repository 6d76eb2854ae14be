"""A connection to Redis that breaks is an outage: waited for, never taken for a bug."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError

from gateway.settings import GatewaySettings
from tests.tenancy.installation import Installation
from worker.alarm.settings import AlarmSettings
from worker.arq_queues import connect
from worker.media.settings import MediaSettings
from worker.redis_link import _Sends
from worker.settings import WebSettings, WorkerSettings
from worker.web.app import build_app

_LIMIT_S = 5.0


async def test_a_reset_is_an_outage_to_a_worker(redis_url: str) -> None:
    """The event loop of the product has an error for it that redis-py does not know."""
    await is_an_outage(await connect(WorkerSettings(redis_url=SecretStr(redis_url))))


async def test_a_reset_is_an_outage_to_a_web_process(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """So its webhook is answered 503 and comes again soon."""
    await installation.create()
    app = build_app(
        web=WebSettings(),
        worker=WorkerSettings(redis_url=SecretStr(redis_url)),
        tenancy=installation.settings,
        gateways=GatewaySettings(),
        media=MediaSettings(store=str(tmp_path)),
        alarm=AlarmSettings(),
    )
    async with app.router.lifespan_context(app):
        await is_an_outage(app.state.redis)


async def is_an_outage(redis: Redis) -> None:
    """Resets a connection in use; closes the client."""
    async with redis:
        connection: Any = await redis.connection_pool.get_connection()
        connection._writer.transport.abort()
        async with asyncio.timeout(_LIMIT_S):
            await connection._writer.wait_closed()

        with pytest.raises(RedisError):
            await connection.send_command("PING")
        await redis.connection_pool.release(connection)
        assert await redis.ping()


@pytest.mark.parametrize("broken", [None, Disconnected("gone"), RuntimeError("closed")])
async def test_a_cancellation_is_not_lost_in_a_write(broken: Exception | None) -> None:
    """`asyncio.wait_for` of Python 3.11 drops one that comes as the write ends, well or badly; who
    was to end would go on for ever."""

    class Loses:
        async def send_packed_command(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                if broken is not None:
                    raise broken from None

        async def disconnect(self, *, nowait: bool) -> None:
            assert nowait

    class Connection(_Sends, Loses):
        pass

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(Connection().send_packed_command())

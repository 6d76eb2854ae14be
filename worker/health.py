"""Answers an orchestrator and Prometheus about a worker process. Started by `worker.process`.

Ready means that work can be done at all: Redis and the central database answer. A dealer's database
says nothing of the process: its events wait in the inbox while the others are served.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import HelixError
from tenancy.metrics import TenancyCollector
from tenancy.start import Tenancy
from worker.alarm.metrics import AlarmCollector
from worker.deliver.gate import stopped
from worker.deliver.metrics import CHANNELS_STOPPED

log = structlog.get_logger()

_ANSWER_S = 2.0


class Health:
    """The three answers."""

    def __init__(
        self, redis: Redis, tenancy: Tenancy, alarms: AlarmCollector | None = None
    ) -> None:
        self._redis = redis
        self._tenancy = tenancy
        self._pools = CollectorRegistry()
        self._pools.register(TenancyCollector(tenancy.figures))
        self._alarms = alarms or AlarmCollector()
        self._pools.register(self._alarms)

    async def healthz(self, _: web.Request) -> web.Response:
        """The process lives and its event loop turns."""
        return web.json_response({"status": "ok"})

    async def readyz(self, _: web.Request) -> web.Response:
        """503 names what does not answer."""
        redis, central = await asyncio.gather(self._redis_answers(), self._central_answers())
        checks = {"redis": redis, "central_database": central}
        silent = [name for name, answers in checks.items() if not answers]
        if silent:
            text = f"{' and '.join(silent)} does not answer"
            return web.json_response({"status": text, **checks}, status=503)
        return web.json_response({"status": "ok", **checks})

    async def metrics(self, _: web.Request) -> web.Response:
        """Of this process, in Prometheus's form."""
        await self._count_stopped()
        await self._read_alarms()
        body = generate_latest(REGISTRY) + generate_latest(self._pools)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _count_stopped(self) -> None:
        """Of all processes. Without Redis the figure is not known, and so it says."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                CHANNELS_STOPPED.set(await stopped(self._redis))
        except (RedisError, OSError, TimeoutError):
            CHANNELS_STOPPED.set(math.nan)

    async def _read_alarms(self) -> None:
        """Of all processes. Without Redis nothing is known of them, and nothing is said."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._alarms.read(self._redis)
        except (RedisError, OSError, TimeoutError):
            self._alarms.forget()

    async def _redis_answers(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S):
                return bool(await self._redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def _central_answers(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S), self._tenancy.central.connection() as conn:
                return await conn.fetch_one("SELECT 1") is not None
        except (HelixError, TimeoutError):
            return False


@asynccontextmanager
async def health_server(health: Health, *, host: str, port: int | None) -> AsyncIterator[None]:
    """Listens for the length of the block; `port`: 0 takes any free one, None none at all."""
    if port is None:
        yield
        return
    app = web.Application()
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", health.metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        at = runner.addresses[0]
        log.info("health answers", address=f"http://{at[0]}:{at[1]}")
        yield
    finally:
        await runner.cleanup()

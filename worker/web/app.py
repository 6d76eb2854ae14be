"""The ASGI application of the web process. Made by `helix web`, served by uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.adapters import ADAPTERS
from gateway.settings import GatewaySettings
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.announce import hear_for_ever
from worker.media.inline import InlineFiles
from worker.media.settings import MediaSettings
from worker.media.store import open_store
from worker.queue.dead_letters import DeadLetters
from worker.queue.ignored import Ignored
from worker.queue.inbox import Inbox
from worker.redis_wire import reporting
from worker.settings import WebSettings, WorkerSettings
from worker.web.webhook import Webhook


def build_app(
    *,
    web: WebSettings,
    worker: WorkerSettings,
    tenancy: TenancySettings,
    gateways: GatewaySettings,
    media: MediaSettings,
) -> Starlette:
    """Opens no connection before the server starts."""
    redis = Redis.from_url(
        worker.redis_url.get_secret_value(),
        socket_timeout=web.redis_timeout_s,
        socket_connect_timeout=web.redis_timeout_s,
    )
    reporting(redis.connection_pool)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with redis, open_tenancy(tenancy) as rooms:
            app.state.webhook = Webhook(
                registry=rooms.registry,
                inbox=Inbox(redis),
                dead_letters=DeadLetters(redis),
                ignored=Ignored(redis),
                adapters=ADAPTERS,
                settings=web,
                gateways=gateways,
                files=InlineFiles(open_store(media), max_bytes=media.max_bytes),
            )
            app.state.redis = redis
            hearing = asyncio.create_task(hear_for_ever(redis, rooms.watch), name="hear")
            try:
                yield
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/webhook/{gateway}/{token}", _handshake, methods=["GET"]),
            Route("/webhook/{gateway}/{token}", _receive, methods=["POST"]),
            # Evolution with `webhook by events` adds the event's name to the address.
            Route("/webhook/{gateway}/{token}/{event}", _receive, methods=["POST"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", _readyz, methods=["GET"]),
            Route("/metrics", _metrics, methods=["GET"]),
        ],
    )


async def _handshake(request: Request) -> Response:
    webhook: Webhook = request.app.state.webhook
    return await webhook.handshake(request)


async def _receive(request: Request) -> Response:
    webhook: Webhook = request.app.state.webhook
    return await webhook.receive(request)


async def _healthz(_: Request) -> Response:
    """The process lives."""
    return JSONResponse({"status": "ok"})


async def _readyz(request: Request) -> Response:
    """The process can take events: Redis answers."""
    redis: Redis = request.app.state.redis
    try:
        await redis.ping()
    except RedisError as error:
        return JSONResponse({"status": "redis does not answer", "error": type(error).__name__}, 503)
    return JSONResponse({"status": "ok"})


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

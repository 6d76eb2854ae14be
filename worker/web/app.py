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
from starlette.types import Receive, Scope, Send

from gateway.adapters import ADAPTERS
from gateway.settings import GatewaySettings
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.alarm.settings import AlarmSettings
from worker.alarm.watch import looks_of_a_web, open_watcher, watch_for_ever
from worker.announce import hear_for_ever
from worker.media.inline import InlineFiles
from worker.media.settings import MediaSettings
from worker.media.store import open_store
from worker.presence import WEBS, Presence
from worker.queue.dead_letters import DeadLetters
from worker.queue.functions import Copies
from worker.queue.ignored import Ignored
from worker.queue.inbox import Inbox
from worker.settings import WebSettings, WorkerSettings
from worker.web.webhook import Webhook

_WAIT_SHARE = 0.8
"""Of the time limit for one answer of Redis, which the wait for its replicas is a part of."""


def build_app(
    *,
    web: WebSettings,
    worker: WorkerSettings,
    tenancy: TenancySettings,
    gateways: GatewaySettings,
    media: MediaSettings,
    alarm: AlarmSettings,
) -> Starlette:
    """Opens no connection before the server starts."""
    redis: Redis = Redis.from_pool(worker.redis(timeout_s=web.redis_timeout_s))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with redis, open_tenancy(tenancy) as rooms:
            app.state.webhook = Webhook(
                registry=rooms.registry,
                inbox=Inbox(redis, worker.inbox_limits, copies=copies_of(web)),
                dead_letters=DeadLetters(redis),
                ignored=Ignored(redis),
                adapters=ADAPTERS,
                settings=web,
                gateways=gateways,
                files=InlineFiles(open_store(media), max_bytes=media.max_bytes),
            )
            app.state.redis = redis
            chores = [hear_for_ever(redis, rooms.watch), _be_seen(redis), _watch(redis, alarm)]
            running = [asyncio.create_task(chore) for chore in chores]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/webhook/{gateway}/{token}", _handshake, methods=["GET"]),
            Route("/webhook/{gateway}/{token}", _Receive(), methods=["POST"]),
            # Evolution with `webhook by events` adds the event's name to the address.
            Route("/webhook/{gateway}/{token}/{event}", _Receive(), methods=["POST"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", _readyz, methods=["GET"]),
            Route("/metrics", _metrics, methods=["GET"]),
        ],
    )


async def _be_seen(redis: Redis) -> None:
    presence = Presence(redis, dict, among=WEBS)
    try:
        await presence.show_for_ever()
    finally:
        await presence.leave()


async def _watch(redis: Redis, settings: AlarmSettings) -> None:
    """In place of the workers, while there is none."""
    async with open_watcher(redis, settings, looks_of_a_web(redis, settings)) as watcher:
        await watch_for_ever(redis, watcher, every_s=settings.every_s, only_without_workers=True)


def copies_of(web: WebSettings) -> Copies:
    """How many replicas must have an event, and for how long the webhook waits for them."""
    return Copies(web.wait_replicas, wait_ms=int(web.redis_timeout_s * 1000 * _WAIT_SHARE))


async def _handshake(request: Request) -> Response:
    webhook: Webhook = request.app.state.webhook
    return await webhook.handshake(request)


class _Receive:
    """As `_handshake`, for what comes a thousand times a second: what Starlette lays around a
    function that answers is laid around the whole application, too."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        webhook: Webhook = request.app.state.webhook
        response = await webhook.receive(request)
        await response(scope, receive, send)


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

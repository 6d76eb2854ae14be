"""A stand-in of the operator's webhook."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

SECRET = "alarm-secret"


@dataclass
class Receiver:
    """What was posted, and how it answers."""

    refuse: list[int] = field(default_factory=list)
    """Statuses of the next answers; then 204."""
    notices: list[dict[str, Any]] = field(default_factory=list)
    """Those that were taken."""
    bodies: list[bytes] = field(default_factory=list)
    signed: list[bool] = field(default_factory=list)
    url: str = ""
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """Happens once, between a post and its answer."""

    async def handle(self, request: web.Request) -> web.Response:
        """Checks the signature as the page in docs says."""
        body = await request.read()
        parts = dict(part.split("=", 1) for part in request.headers["Helix-Signature"].split(","))
        wanted = hmac.new(SECRET.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256)
        self.bodies.append(body)
        self.signed.append(hmac.compare_digest(wanted.hexdigest(), parts["v1"]))
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        if self.refuse:
            return web.Response(status=self.refuse.pop(0))
        self.notices += orjson.loads(body)["notices"]
        return web.Response(status=204)

    def told(self) -> list[tuple[str, str, str]]:
        """Event, kind, subject of each notice that was taken."""
        return [(one["event"], one["kind"], one["subject"]) for one in self.notices]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Listens on a free loopback port."""
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post("/alarms", receiver.handle)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alarms"
    try:
        yield receiver
    finally:
        await runner.cleanup()

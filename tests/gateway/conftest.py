"""What the tests of gateways share: recorded bodies, and a webhook to push to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def auth_vectors() -> dict[str, dict[str, object]]:
    """Signatures, handshakes and tokens, byte for byte."""
    vectors: dict[str, dict[str, object]] = json.loads((FIXTURES / "auth_vectors.json").read_text())
    return vectors


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client session."""
    async with aiohttp.ClientSession() as session:
        yield session


@dataclass
class Webhook:
    """A webhook that keeps what it gets and answers with `answers`, then 200."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """One push."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((headers, await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def serving(*routes: web.RouteDef) -> AsyncIterator[str]:
    """A server on a free loopback port; gives its address."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def webhook() -> AsyncIterator[Webhook]:
    """Our side of a webhook, without any of our code behind it."""
    hook = Webhook()
    async with serving(web.post("/hook", hook.handle)) as address:
        hook.url = f"{address}/hook"
        yield hook

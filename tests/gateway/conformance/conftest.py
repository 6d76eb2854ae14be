"""One line of each gateway, for the whole suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from gateway.adapters import ADAPTERS
from tests.gateway.conftest import Webhook
from tests.gateway.line import Line, made


@pytest.fixture(params=sorted(ADAPTERS))
def kind(request: pytest.FixtureRequest) -> str:
    """Each gateway in turn."""
    return str(request.param)


@pytest_asyncio.fixture
async def line(kind: str, webhook: Webhook, http: aiohttp.ClientSession) -> AsyncIterator[Line]:
    """One line of each gateway."""
    async with made(kind, webhook.url) as phone:
        yield Line(phone, webhook, http)

"""A ground for contests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bench.ground import Ground, prepared
from dev.servers import Servers


@pytest.fixture
async def ground(servers: Servers) -> AsyncIterator[Ground]:
    """Two dealers with a few cars."""
    async with prepared(servers, empresas=2, cars=6) as found:
        yield found

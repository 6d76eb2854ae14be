"""What every test may ask for: the real servers, an empty database, an empty Redis.

The servers are private to this checkout; where they cannot be had, tests fail and say what to do.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

import hypothesis
import pytest
import uvloop
from pydantic import RedisDsn
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from dev.servers import MariaDB, Servers, running
from dev.servers.redis_server import RedisServer

# A shared machine is slow at times; a slow example is no failure.
hypothesis.settings.register_profile("helix", deadline=None, print_blob=True)
hypothesis.settings.load_profile("helix")

_CLAIM_S = 900


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the event loop that the product runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The private servers, started or shared, or those that DB_HOST and REDIS_URL name."""
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def mariadb(servers: Servers) -> MariaDB:
    """`async with mariadb.database() as name, mariadb.connect(name) as connection`."""
    return servers.mariadb


@pytest.fixture
def redis_url(servers: Servers) -> Iterator[str]:
    """The address of an empty Redis database that no other test uses; emptied afterwards."""
    with SyncRedis.from_url(servers.redis_url) as home:
        number = claim_database(home, servers.redis_url, _candidates(home, servers.redis_url))
        if number is None:
            pytest.fail("no empty Redis database is left; see `databases` in its configuration")
        url = _with_database(servers.redis_url, number)
        with SyncRedis.from_url(url) as client:
            client.flushdb()
            yield url
            client.flushdb()
        home.delete(_claim(number), _used(number))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the database at `redis_url`; it answers with bytes."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A started Redis server that the test may hurt, or measure."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    try:
        yield server
    finally:
        server.kill()


def claim_database(home: SyncRedis, url: str, numbers: Iterable[int]) -> int | None:
    """The first of `numbers` that is for us alone: empty, or left over by a test that was killed.

    Test runs side by side share the server, and a server that REDIS_URL names may hold data of
    somebody; what is not empty and not marked by us is never touched.
    """
    for number in numbers:
        if not home.set(_claim(number), 1, nx=True, ex=_CLAIM_S):
            continue
        if home.exists(_used(number)) or _is_empty(url, number):
            home.set(_used(number), 1)
            return number
        home.delete(_claim(number))
    return None


def _candidates(home: SyncRedis, url: str) -> list[int]:
    own = int((RedisDsn(url).path or "/0").strip("/") or 0)
    count = int(cast("dict[str, str]", home.config_get("databases"))["databases"])
    numbers = [number for number in range(count) if number != own]
    # Not the random module: runs side by side may have the same seed.
    secrets.SystemRandom().shuffle(numbers)
    return numbers


def _claim(number: int) -> str:
    return f"helix:tests:claim:{number}"


def _used(number: int) -> str:
    return f"helix:tests:used:{number}"


def _is_empty(url: str, number: int) -> bool:
    with SyncRedis.from_url(_with_database(url, number)) as client:
        return cast("int", client.dbsize()) == 0


def _with_database(url: str, number: int) -> str:
    dsn = RedisDsn(url)
    return str(
        RedisDsn.build(
            scheme=dsn.scheme,
            username=dsn.username,
            password=dsn.password,
            host=dsn.host or "127.0.0.1",
            port=dsn.port,
            path=str(number),
            query=dsn.query,
        )
    )

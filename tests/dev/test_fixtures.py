"""The promises of the fixtures that all other tests stand on."""

from __future__ import annotations

import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from dev.servers import MariaDB, Servers
from tests.conftest import claim_database


@pytest.mark.parametrize("time", [1, 2])
async def test_every_test_gets_an_empty_redis(redis: Redis, time: int) -> None:
    """What one test writes no other test reads."""
    assert await redis.dbsize() == 0
    await redis.set("left", time)


async def test_redis_and_redis_url_are_the_same_database(redis: Redis, redis_url: str) -> None:
    """A child process that is given the URL works on what the test sees."""
    async with Redis.from_url(redis_url) as child:
        await child.set("from", "child")
    assert await redis.get("from") == b"child"


async def test_a_database_is_new_and_goes_away(mariadb: MariaDB) -> None:
    """Each `database()` is another, empty one; nothing is left on the server."""
    async with mariadb.database() as one, mariadb.database() as other:
        assert one != other
        async with mariadb.connect(one) as connection, connection.cursor() as cursor:
            await cursor.execute("SHOW TABLES")
            assert list(await cursor.fetchall()) == []
    async with mariadb.connect() as connection, connection.cursor() as cursor:
        await cursor.execute("SHOW DATABASES")
        names = {name for (name,) in await cursor.fetchall()}
    assert not names & {one, other}


def test_somebodys_data_is_never_taken_for_an_empty_database(
    servers: Servers, redis_url: str
) -> None:
    """On a server from outside, a database with keys that are not ours is passed over."""
    with SyncRedis.from_url(redis_url) as full, SyncRedis.from_url(servers.redis_url) as home:
        full.set("somebodys", "data")
        number = int(redis_url.rsplit("/", 1)[1].partition("?")[0])
        home.delete(f"helix:tests:claim:{number}", f"helix:tests:used:{number}")
        assert claim_database(home, servers.redis_url, [number]) is None
        assert full.get("somebodys") == b"data"
        full.delete("somebodys")


def test_what_a_killed_test_left_is_used_again(servers: Servers, redis_url: str) -> None:
    """Databases do not run out because tests were cut off."""
    with SyncRedis.from_url(redis_url) as full, SyncRedis.from_url(servers.redis_url) as home:
        full.set("left", "over")
        number = int(redis_url.rsplit("/", 1)[1].partition("?")[0])
        home.delete(f"helix:tests:claim:{number}")
        assert claim_database(home, servers.redis_url, [number]) == number

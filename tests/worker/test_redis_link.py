"""REDIS_URL: what it may be, and that a wrong one is told without its password."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ReadOnlyError

from dev.servers.redis_server import RedisServer
from worker.redis_link import Guarded, read_url
from worker.settings import WorkerSettings

_SECRET = "pa55-w0rd"


def test_sentinel_is_named_in_the_address() -> None:
    """Several nodes, a service, a number; the login is that of the Redis servers."""
    found = read_url(SecretStr("redis+sentinel://helix:p%40ss@one:26380,two,[::1]:5/loja/3"))

    assert found is not None
    assert found.sentinels == (("one", 26380), ("two", 26379), ("::1", 5))
    assert (found.service, found.database, found.username) == ("loja", 3, "helix")
    assert found.password is not None
    assert found.password.get_secret_value() == "p@ss"
    assert not found.tls


def test_what_may_be_left_out() -> None:
    """The login, the ports, the number; `rediss` is TLS to servers and Sentinels."""
    assert read_url(SecretStr("rediss+sentinel://one/loja")) == Guarded(
        sentinels=(("one", 26379),), service="loja", database=0, username=None, password=None,
        tls=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "plain", ["redis://h", "rediss://u:p@h:1/2", "unix:///run/redis.sock?db=1"]
)
def test_a_single_server_is_as_before(plain: str) -> None:
    """Whatever redis-py opens."""
    assert read_url(SecretStr(plain)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        f"redis+sentinel://:{_SECRET}@one:26379",  # no service
        f"redis+sentinel://:{_SECRET}@one:26379,/loja",
        f"redis+sentinel://:{_SECRET}@/loja",
        f"redis+sentinel://:{_SECRET}@one/loja/zwei",
        f"redis+sentinel://:{_SECRET}@one/loja/0/1",
        f"redis://:{_SECRET}/x@one",  # the slash ends the host: the password would be the port
        f"mysql://:{_SECRET}@one",
    ],
)
def test_a_wrong_address_is_told_without_its_password(wrong: str) -> None:
    """The error says what it may be; whoever prints it prints no secret."""
    with pytest.raises(ValidationError) as raised:
        WorkerSettings(redis_url=SecretStr(wrong))

    assert "service" in str(raised.value)
    assert _SECRET not in str(raised.value)


@given(st.text(max_size=60))
def test_no_address_breaks_the_reader(rest: str) -> None:
    """It is read whole or refused with the one error that callers know."""
    with suppress(ValueError):
        found = read_url(SecretStr(f"redis+sentinel://{rest}"))
        assert found is not None
        assert found.service


@pytest.mark.parametrize(
    "url", ["redis://h", "rediss://h", "unix:///run/r.sock", "redis+sentinel://h/x"]
)
def test_every_way_makes_connections(url: str) -> None:
    """Each kind takes the options that it is given; nothing is opened yet."""
    pool = WorkerSettings(redis_url=SecretStr(url)).redis()
    connection = pool.make_connection()  # type: ignore[no-untyped-call]
    assert connection.socket_timeout == WorkerSettings().redis_timeout_s


async def test_a_connection_to_a_former_master_is_dropped(own_redis: RedisServer) -> None:
    """An address behind which the master changed (a name, a proxy): READONLY, then anew."""
    settings = WorkerSettings(redis_url=SecretStr(str(own_redis.dsn.get_secret_value())))
    async with Redis.from_pool(settings.redis()) as redis:
        first = await redis.client_id()
        await redis.replicaof("127.0.0.1", "1")
        with pytest.raises(Disconnected) as raised:
            await redis.set("a", "b")
        assert isinstance(raised.value.__cause__, ReadOnlyError)
        await redis.replicaof("NO", "ONE")

        await redis.set("a", "b")

        assert await redis.client_id() != first

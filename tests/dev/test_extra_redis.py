"""A Redis that a test or chaos may hurt."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from dev.servers import extra_redis
from dev.servers.redis_server import RedisServer
from tests.dev.commands import running_in


def _client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(str(server.dsn.get_secret_value()), socket_timeout=1)


def test_it_is_killed_and_comes_back_where_it_was(tmp_path: Path) -> None:
    """Port, password and every write that was answered; nothing of it is left afterwards."""
    with extra_redis(tmp_path) as server:
        before = server.dsn
        with _client(server) as client:
            client.set("kept", "yes")
        for end in (server.kill, server.stop):
            end()
            with _client(server) as client, pytest.raises(redis.ConnectionError):
                client.ping()
            assert server.start() == before
            with _client(server) as client:
                assert client.get("kept") == b"yes"
    assert running_in(tmp_path) == []
    assert list((tmp_path / "extra").iterdir()) == []

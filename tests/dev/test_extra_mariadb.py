"""A MariaDB server that a test may hurt."""

from __future__ import annotations

import signal
from pathlib import Path

import pymysql
import pytest

from dev.servers import MariaDB, extra_mariadb
from tests.dev.commands import Command, all_gone, running_in


def _ask(access: MariaDB, statement: str = "SELECT 1") -> object:
    connection = pymysql.connect(
        host=access.host,
        port=access.port,
        user=access.user,
        password=access.password.get_secret_value(),
        connect_timeout=1,
        read_timeout=1,
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def test_it_stops_and_comes_back_where_it_was(tmp_path: Path) -> None:
    """Stop, kill and start keep port, password and data: a tenant's server after a failure."""
    with extra_mariadb(tmp_path) as server:
        before = server.access
        _ask(before, "CREATE DATABASE kept")
        for end in (server.stop, server.kill):
            end()
            with pytest.raises(pymysql.OperationalError):
                _ask(before)
            assert server.start() == before
            assert _ask(before, "SHOW DATABASES LIKE 'kept'") == ("kept",)
    assert running_in(tmp_path) == []
    assert list((tmp_path / "extra").iterdir()) == []


def test_a_paused_server_takes_connections_and_answers_nothing(tmp_path: Path) -> None:
    """The worst kind of sick server: it is there and silent, until it goes on."""
    with extra_mariadb(tmp_path) as server:
        server.pause()
        with pytest.raises(pymysql.OperationalError):
            _ask(server.access)
        server.resume()
        assert _ask(server.access) == (1,)


def test_two_extra_servers_know_nothing_of_each_other(tmp_path: Path) -> None:
    """Two dealers on two hosts."""
    with extra_mariadb(tmp_path) as one, extra_mariadb(tmp_path) as other:
        _ask(one.access, "CREATE DATABASE mine")
        assert _ask(other.access, "SHOW DATABASES LIKE 'mine'") is None
        one.stop()
        assert _ask(other.access) == (1,)


def test_a_killed_test_run_leaves_no_extra_server(tmp_path: Path) -> None:
    """And its folder goes with the next one that is started."""
    with Command(tmp_path, extra=True) as command:
        command.servers()
        command.strike(signal.SIGKILL)
    assert all_gone(tmp_path)
    (left,) = (tmp_path / "extra").iterdir()
    with extra_mariadb(tmp_path):
        assert not left.exists()

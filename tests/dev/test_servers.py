"""The private servers: started once, shared, and gone when the last command is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest
from redis import Redis

from dev.servers import (
    MariaDB,
    MariadbServer,
    RedisServer,
    ServersError,
    install,
    programs,
    running,
)
from tests.dev.commands import Command, all_gone, cli, environment, running_in


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for servers that belong to one test."""
    return tmp_path / "servers"


def _query(mariadb: MariaDB, statement: str) -> list[tuple[object, ...]]:
    connection = pymysql.connect(
        host=mariadb.host,
        port=mariadb.port,
        user=mariadb.user,
        password=mariadb.password.get_secret_value(),
        autocommit=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def test_the_second_run_finds_what_the_first_one_wrote(home: Path) -> None:
    """A demo or a test run goes on with the data, users and passwords of the one before."""
    with running(home, environment={}) as first:
        _query(first.mariadb, "CREATE DATABASE kept")
        _query(first.mariadb, "CREATE USER dealer@'127.0.0.1' IDENTIFIED BY 'x'")
        with Redis.from_url(first.redis_url) as redis:
            redis.set("kept", "yes")

    with running(home, environment={}) as second:
        assert _query(second.mariadb, "SHOW DATABASES LIKE 'kept'") == [("kept",)]
        users = _query(second.mariadb, "SELECT User FROM mysql.global_priv ORDER BY User")
        assert users == [("dealer",), ("helix_admin",), ("mariadb.sys",)]
        with Redis.from_url(second.redis_url) as redis:
            assert redis.get("kept") == b"yes"
    assert second.environment() == first.environment()
    assert running_in(home) == []


def test_the_servers_are_as_durable_as_production_and_closed_to_others(home: Path) -> None:
    """A test of a crash proves something only on servers that write before they answer."""
    with running(home, environment={}) as servers:
        settings = _query(
            servers.mariadb,
            "SELECT @@innodb_flush_log_at_trx_commit, @@skip_name_resolve, @@bind_address,"
            " @@character_set_server",
        )
        assert settings == [(1, 1, "127.0.0.1", "utf8mb4")]
        assert _query(servers.mariadb, "SHOW DATABASES LIKE 'test'") == []
        with Redis.from_url(servers.redis_url) as redis:
            told = {name: redis.config_get(name)[name] for name in ("appendonly", "appendfsync")}
            assert told == {"appendonly": "yes", "appendfsync": "always"}
            assert redis.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        secrets = (servers.environment()["DB_PASSWORD"], servers.redis_url)
        assert not any(secret in repr(servers) + str(servers) for secret in secrets)
        for password in home.glob("*/password"):
            assert password.stat().st_mode & 0o077 == 0
        assert home.stat().st_mode & 0o077 == 0


def test_commands_share_the_servers_and_the_last_one_stops_them(home: Path) -> None:
    """Two terminals in one checkout do not disturb each other, whoever ends first."""
    with Command(home) as one, Command(home) as other:
        told = one.servers()
        assert other.servers() == told
        assert len(running_in(home, "mariadbd")) == 1
        assert one.end() == 0
        with Redis.from_url(told["REDIS_URL"]) as redis:
            assert redis.ping()
        assert other.end() == 0
    assert running_in(home) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_a_command_is_cut_off(home: Path, number: signal.Signals) -> None:
    """Also kill -9 of the only command leaves no server behind."""
    with Command(home) as command:
        command.servers()
        command.strike(number)
    assert all_gone(home)


def test_ctrl_c_in_one_terminal_leaves_the_servers_to_the_other(home: Path) -> None:
    """Also when the interrupted command is the one that started them."""
    with Command(home) as first:
        first.servers()
        with Command(home) as other:
            told = other.servers()
            first.press_ctrl_c()
            with Redis.from_url(told["REDIS_URL"]) as redis:
                assert redis.ping()
            assert other.end() == 0
    assert running_in(home) == []


def test_a_killed_supervisor_takes_the_servers_along(home: Path) -> None:
    """And the next command starts as if nothing had been."""
    with Command(home) as command:
        command.servers()
        for pid in running_in(home, "dev.servers.supervisor"):
            os.kill(pid, signal.SIGKILL)
        assert all_gone(home)
        command.end()
    with running(home, environment={}) as servers:
        assert _query(servers.mariadb, "SELECT 1") == [(1,)]
    assert all_gone(home)


def test_a_server_that_dies_in_use_is_started_anew_by_the_next_command(home: Path) -> None:
    """A crash of MariaDB costs the running command, not the checkout."""
    with Command(home) as command:
        command.servers()
        for pid in running_in(home, "mariadbd"):
            os.kill(pid, signal.SIGKILL)
        assert all_gone(home)
    with running(home, environment={}) as servers:
        assert _query(servers.mariadb, "SELECT 1") == [(1,)]


def test_a_stranger_with_the_number_in_the_pid_file_is_left_alone(home: Path) -> None:
    """After a restart of the machine the number may belong to anybody."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        for kind in ("mariadb", "redis"):
            (home / kind).mkdir(parents=True)
            (home / kind / "pid").write_text(f"{stranger.pid}\n")
        with running(home, environment={}) as servers:
            assert _query(servers.mariadb, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_server_that_outlived_its_supervisor_is_replaced(home: Path) -> None:
    """Where the kernel does not end it with its parent, the next start does, and keeps its data."""
    mariadb, redis = MariadbServer(home / "mariadb"), RedisServer(home / "redis")
    _query(mariadb.start(), "CREATE DATABASE kept")
    redis.start()
    with running(home, environment={}) as servers:
        assert mariadb.has_died()
        assert redis.has_died()
        assert _query(servers.mariadb, "SHOW DATABASES LIKE 'kept'") == [("kept",)]
    assert running_in(home) == []


def test_a_port_that_somebody_took_does_not_matter(home: Path) -> None:
    """The servers move to another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for kind in ("mariadb", "redis"):
            (home / kind).mkdir(parents=True)
            (home / kind / "port").write_text(f"{port}\n")
        with running(home, environment={}) as servers:
            assert servers.mariadb.port != port
            assert f":{port}/" not in servers.redis_url


def test_leavings_of_a_crashed_first_run_do_not_matter(home: Path) -> None:
    """Half an installation, an old socket and an empty password file are replaced."""
    (home / "mariadb" / "data.new" / "mysql").mkdir(parents=True)
    (home / "mariadb" / "password").write_text("")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(home / "socket"))
    with running(home, environment={}) as servers:
        assert _query(servers.mariadb, "SELECT 1") == [(1,)]


def test_up_keeps_the_servers_until_down(home: Path) -> None:
    """`make up` outlives commands, `make down` ends it; status tells by its exit code."""
    assert cli(home, "status").returncode == 3
    up = cli(home, "up")
    assert up.returncode == 0, up.stderr
    with Command(home) as command:
        told = command.servers()
        assert f":{told['DB_PORT']} " in up.stdout
        assert told["DB_PASSWORD"] not in up.stdout
        command.end()
    assert cli(home, "status").returncode == 0
    assert cli(home, "down").returncode == 0
    assert running_in(home) == []


def test_down_waits_for_commands_that_still_run(home: Path) -> None:
    """Nobody's test run dies because somebody else types `make down`."""
    cli(home, "up")
    with Command(home, redis_only=True) as command:
        told = command.servers()
        assert "1 running" in cli(home, "down").stdout
        with Redis.from_url(told["REDIS_URL"]) as redis:
            assert redis.ping()
        command.end()
    assert running_in(home) == []


def test_servers_from_outside_are_used_and_none_is_started(home: Path) -> None:
    """DB_HOST and REDIS_URL win."""
    given = {
        "DB_HOST": "db.example",
        "DB_PORT": "3307",
        "DB_USER": "admin",
        "DB_PASSWORD": "secret",
        "REDIS_URL": "redis://cache.example:6380/2",
    }
    with running(home, environment=given) as servers:
        assert servers.environment() == given
    assert not home.exists()


def test_only_the_kind_that_is_not_given_is_started(home: Path) -> None:
    """A MariaDB from outside goes together with a private Redis."""
    with running(home, environment={"DB_HOST": "db.example"}) as servers:
        assert servers.mariadb.host == "db.example"
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.ping()
        assert running_in(home, "mariadbd") == []


def test_a_checkout_with_a_very_long_path_works(tmp_path: Path) -> None:
    """Unix sockets take about 100 characters; checkouts do not care."""
    home = tmp_path / ("long" * 30) / "with blanks in it"
    with running(home, environment={"DB_HOST": "db.example"}) as servers:
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.ping()
        assert cli(home, "status").returncode == 0
    assert running_in(home) == []


def test_a_server_that_cannot_start_says_why(home: Path, tmp_path: Path) -> None:
    """The error holds the server's own last words, and nothing goes on running."""
    fake = tmp_path / "bin" / "redis-server"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho the disk is on fire\nexit 1\n")
    fake.chmod(0o755)
    path = f"{fake.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "dev.servers", "up", "--home", str(home)],
        cwd=programs.ROOT,
        env=environment({"PATH": path}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "the disk is on fire" in done.stderr
    assert "Traceback" not in done.stderr
    assert running_in(home) == []


def test_without_programs_and_package_manager_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody is left with `command not found`."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_PLACES", ())
    monkeypatch.setattr(programs, "PRIVATE", tmp_path)
    with pytest.raises(ServersError, match=r"mariadbd(.|\n)*DB_HOST"):
        install.ensure("mariadb")
    with pytest.raises(ServersError, match=r"redis-server(.|\n)*REDIS_URL"):
        install.ensure("redis")

"""A Redis master, two replicas and three Sentinels: for tests that make a failover.

Started from nothing for each test and gone afterwards; as fast a failover as Sentinel allows.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from dev.servers import ports, process, programs
from dev.servers.redis_server import RedisServer, quoted
from dev.servers.values import ServersError

SERVICE = "mymaster"
_READY_S = 30.0
_SENTINELS, _REPLICAS = 3, 2
_DOWN_AFTER_MS = 300

# Each Sentinel writes what it learns into its own configuration.
_CONFIG = """\
bind {host}
port {port}
dir {home}
daemonize no
requirepass {own_password}
sentinel monitor {service} {host} {master_port} 2
sentinel auth-pass {service} {password}
sentinel down-after-milliseconds {service} {down_after_ms}
sentinel failover-timeout {service} 3000
"""


class Guarded:
    """A master with two replicas, under Sentinel."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.password = secrets.token_urlsafe(24)
        """What the Redis servers ask for."""
        self.sentinel_password = secrets.token_urlsafe(24)
        """What Sentinels themselves ask for."""
        self.master = self._server("master")
        """The first master; after a failover it is down, or a replica."""
        self.replicas = [self._server(f"replica-{number}") for number in range(_REPLICAS)]
        self._sentinels: list[tuple[int, subprocess.Popen[bytes]]] = []

    @property
    def url(self) -> str:
        """REDIS_URL for the product, with the servers' password."""
        nodes = ",".join(f"{ports.HOST}:{port}" for port, _ in self._sentinels)
        return f"redis+sentinel://:{self.password}@{nodes}/{SERVICE}/0"

    def start(self) -> None:
        """Waits until each Sentinel knows the replicas and its peers. Raises ServersError."""
        self.master.start()
        for replica in self.replicas:
            replica.start()
            with _client(replica) as client:
                client.replicaof(ports.HOST, str(_port(self.master)))
        for number in range(_SENTINELS):
            self._sentinels.append(self._sentinel(self._home / f"sentinel-{number}"))
        if not process.wait_until(self._is_ready, limit_s=_READY_S):
            raise ServersError(f"Sentinel is not ready; its log is in {self._home}")

    def stop(self) -> None:
        """Ends all, the Sentinels first: nobody fails over any more."""
        for _, sentinel in self._sentinels:
            process.stop(sentinel)
        for server in (self.master, *self.replicas):
            server.kill()

    def is_failed_over(self) -> bool:
        """Whether a replica has become the master, and the other one follows it."""
        try:
            told = [self._replication(replica) for replica in self.replicas]
        except redis.ConnectionError:  # Sentinel cuts all clients of a server whose part it changes
            return False
        masters = [one for one in told if one["role"] == "master"]
        return len(masters) == 1 and masters[0]["connected_slaves"] == _REPLICAS - 1

    def _replication(self, server: RedisServer) -> dict[str, Any]:
        with _client(server) as client:
            told: dict[str, Any] = client.info("replication")
            return told

    def _server(self, name: str) -> RedisServer:
        home = self._home / name
        home.mkdir(parents=True)
        (home / "password").write_text(f"{self.password}\n")
        # Sentinel makes the old master a replica of the new one: all open with one password.
        return RedisServer(home, options=[f"masterauth {self.password}", "repl-diskless-sync no"])

    def _sentinel(self, home: Path) -> tuple[int, subprocess.Popen[bytes]]:
        home.mkdir()
        port = ports.choose(home / "port")
        config = home / "sentinel.conf"
        config.write_text(
            _CONFIG.format(
                host=ports.HOST,
                port=port,
                home=quoted(home),
                own_password=self.sentinel_password,
                service=SERVICE,
                master_port=_port(self.master),
                password=self.password,
                down_after_ms=_DOWN_AFTER_MS,
            )
        )
        command: list[str | Path] = [programs.need("redis-server"), config, "--sentinel"]
        return port, process.start(command, log=home / "log")

    def _is_ready(self) -> bool:
        return all(self._knows_all(port) for port, _ in self._sentinels)

    def _knows_all(self, port: int) -> bool:
        with redis.Redis(host=ports.HOST, port=port, password=self.sentinel_password) as sentinel:
            try:
                told = sentinel.sentinel_masters()[SERVICE]
                replicas = sentinel.sentinel_slaves(SERVICE)
            except (redis.RedisError, KeyError):
                return False
        others = told["num-other-sentinels"] == _SENTINELS - 1
        return others and [one["master-link-status"] for one in replicas] == ["ok"] * _REPLICAS


@contextmanager
def guarded_redis() -> Iterator[Guarded]:
    """Started servers that the caller may hurt, removed afterwards. Raises ServersError."""
    with process.private_umask(), tempfile.TemporaryDirectory(prefix="helix-sentinel-") as folder:
        servers = Guarded(Path(folder))
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


def _client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(str(server.dsn.get_secret_value()), socket_timeout=2)


def _port(server: RedisServer) -> int:
    return server.dsn.get_secret_value().port or 0

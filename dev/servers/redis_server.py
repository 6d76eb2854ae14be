"""A Redis server in a folder of its own. Called by `supervisor`, `sentinel`, `extra`, tests."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import redis
from pydantic import RedisDsn, Secret

from dev.servers import ports, process, programs
from dev.servers.values import ServersError

_START_S = 60.0
_PORTS_TRIED = 5

# As durable as production: a write is on disk before it is answered, and memory that runs out is
# an error, never a lost key. Many numbered databases, so that every test has one of its own.
_CONFIG = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {data}
pidfile {pid_file}
daemonize no
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
databases 1024
set-proc-title no
{options}
"""


class RedisServer:
    """One server: `start`, then `dsn` says where it is, then `stop`."""

    def __init__(
        self,
        home: Path,
        *,
        options: Sequence[str] = (),
        die_with_parent: signal.Signals = signal.SIGTERM,
    ) -> None:
        """`home` holds data, log and configuration; it may hold those of an earlier run.

        `options`: more lines of redis.conf.
        """
        self._home = home.resolve()
        self._options = options
        self._die_with_parent = die_with_parent
        self._log = self._home / "server.log"
        self._pid_file = self._home / "pid"
        self._config = self._home / "redis.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._dsn: Secret[RedisDsn] | None = None

    @property
    def dsn(self) -> Secret[RedisDsn]:
        """The address with its password. Raises ServersError before the first `start`."""
        if self._dsn is None:
            raise ServersError("this Redis server has not been started")
        return self._dsn

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self.is_running() and self._process else None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def has_died(self) -> bool:
        """True when it was started and has ended, for whatever reason."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> Secret[RedisDsn]:
        """Waits until the server answers; a restart keeps its port. Raises ServersError."""
        if self.is_running():
            return self.dsn
        with process.private_umask():
            (self._home / "data").mkdir(parents=True, exist_ok=True)
            process.stop_leftover(self._pid_file, argument=str(self._config))
            for _ in range(_PORTS_TRIED):
                dsn = self._prepare()
                if self._launch(dsn):
                    self._dsn = dsn
                    return dsn
        raise ServersError(f"Redis does not start:\n{process.tail(self._log)}")

    def stop(self) -> None:
        """Ends the server in order; nothing happens when it does not run."""
        if self._process is not None:
            process.stop(self._process)

    def kill(self) -> None:
        """SIGKILL: what is on disk is what a start finds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _prepare(self) -> Secret[RedisDsn]:
        password = process.kept_secret(self._home / "password")
        port = ports.choose(self._home / "port")
        config = _CONFIG.format(
            host=ports.HOST,
            port=port,
            password=password,
            data=quoted(self._home / "data"),
            pid_file=quoted(self._pid_file),
            options="\n".join(self._options),
        )
        self._config.unlink(missing_ok=True)
        self._config.write_text(config)
        return Secret[RedisDsn](RedisDsn(f"redis://:{password}@{ports.HOST}:{port}/0"))

    def _launch(self, dsn: Secret[RedisDsn]) -> bool:
        """False when the server ended at once, as it does when its port was just taken."""
        command = [programs.need("redis-server"), self._config]
        started = process.start(command, log=self._log, die_with_parent=self._die_with_parent)
        self._process = started
        process.wait_until(lambda: started.poll() is not None or _answers(dsn), limit_s=_START_S)
        if started.poll() is not None:
            return False
        if not _answers(dsn):
            process.stop(started)
            return False
        return True


def _answers(dsn: Secret[RedisDsn]) -> bool:
    """Whether our own server answers: a stranger on the port does not know the password."""
    client = redis.Redis.from_url(str(dsn.get_secret_value()), socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def quoted(path: Path) -> str:
    """A path as redis.conf reads it, blanks included."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

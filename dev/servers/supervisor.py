"""The process that owns the servers: starts them for the first command, stops them after the last.

Started by `client`. A command is a connection to its socket: the kernel closes it when the
command ends, however it ends, so nothing has to be tidied up after a crash.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import structlog

from dev.servers import process
from dev.servers.mariadb import MariadbServer
from dev.servers.protocol import Reply, Request, socket_address
from dev.servers.redis_server import RedisServer
from dev.servers.values import ServersError

log = structlog.get_logger()

_LOOK_S = 0.5


class Supervisor:
    """Serves commands one request at a time until nobody needs the servers any more."""

    def __init__(self, home: Path) -> None:
        self._mariadb = MariadbServer(home / "mariadb")
        self._redis = RedisServer(home / "redis")
        self._selector = selectors.DefaultSelector()
        self._users: set[socket.socket] = set()
        self._waiting: list[socket.socket] = []
        """Connections of the last ones to leave: they close when this process ends, and that is
        how those commands know that the servers are down."""
        self._kept = False
        self._died = False

    def serve(self, listener: socket.socket, first: socket.socket) -> None:
        """Returns when the last user has gone, or when a server has died by itself."""
        self._selector.register(listener, selectors.EVENT_READ)
        self._join(first)
        while (self._users or self._kept) and not self._died:
            for key, _ in self._selector.select(_LOOK_S):
                if key.fileobj is listener:
                    self._join(listener.accept()[0])
                elif isinstance(key.fileobj, socket.socket):
                    self._hear(key.fileobj)
            self._died = self._died or self._has_died()

    def stop(self) -> None:
        """Ends both servers in order."""
        self._redis.stop()
        self._mariadb.stop()

    def _join(self, connection: socket.socket) -> None:
        self._users.add(connection)
        self._selector.register(connection, selectors.EVENT_READ)

    def _leave(self, connection: socket.socket) -> None:
        self._users.discard(connection)
        self._selector.unregister(connection)
        if self._users or self._kept:
            connection.close()
        else:
            self._waiting.append(connection)

    def _hear(self, connection: socket.socket) -> None:
        try:
            asked = connection.recv(4096)
            if asked:
                reply = self._answer(Request.model_validate_json(asked))
                connection.sendall(reply.encoded())
                return
        except OSError as error:
            log.info("a command went away", reason=str(error))
        except ValueError as error:
            log.warning("not a request", reason=str(error))
        self._leave(connection)

    def _answer(self, request: Request) -> Reply:
        error = None
        try:
            if "mariadb" in request.kinds:
                self._mariadb.start()
            if "redis" in request.kinds:
                self._redis.start()
        except ServersError as failed:
            error = str(failed)
        if request.keep is not None:
            self._kept = request.keep and error is None
        return Reply(
            mariadb=self._mariadb.access if self._mariadb.is_running() else None,
            redis_dsn=self._redis.dsn if self._redis.is_running() else None,
            others=len(self._users) - 1,
            kept=self._kept,
            error=error,
        )

    def _has_died(self) -> bool:
        dead = [server for server in (self._mariadb, self._redis) if server.has_died()]
        for server in dead:
            log.error("a server ended by itself", server=type(server).__name__)
        return bool(dead)


def main(home: Path, first_fd: int) -> Supervisor:
    """Runs with the connection of the command that started it as descriptor `first_fd`.

    Returns the stopped supervisor, which still holds the connections of those who wait.
    """
    first = socket.socket(fileno=first_fd)
    signal.signal(signal.SIGTERM, _leave_in_order)
    signal.signal(signal.SIGINT, _leave_in_order)
    with process.private_umask(), (home / "supervisor.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # an earlier one may still be stopping its servers
        path = home / "socket"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener, socket_address(path) as address:
            listener.bind(address)
            listener.listen(64)
            supervisor = Supervisor(home)
            try:
                supervisor.serve(listener, first)
            finally:
                path.unlink(missing_ok=True)
                supervisor.stop()
    return supervisor


def _leave_in_order(number: int, _frame: object) -> NoReturn:
    # A second signal must not cut the stopping short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    # The command that starts us waits for its child; we are nobody's child and outlive it.
    if os.fork() != 0:
        os._exit(0)
    stopped = main(Path(sys.argv[1]), int(sys.argv[2]))
    os._exit(0)  # at once: who waits for our end shall find nothing of us

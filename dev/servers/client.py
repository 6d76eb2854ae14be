"""What a command does to have the servers: finds or starts the supervisor, lets go at the end.

Called by every command (through `running`) and by `python -m dev.servers`.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import RedisDsn, Secret, SecretStr

from dev.servers import install, process
from dev.servers.programs import ROOT
from dev.servers.protocol import Kind, Reply, Request, socket_address
from dev.servers.values import MariaDB, Servers, ServersError

HOME = ROOT / ".local" / "servers"
"""Where data, logs and passwords of this checkout's servers lie."""

_START_S = 300.0
_STOP_S = 90.0


@contextmanager
def running(home: Path = HOME, *, environment: Mapping[str, str] = os.environ) -> Iterator[Servers]:
    """The servers, for as long as the block lasts.

    Servers that `environment` names (DB_HOST, DB_PORT, DB_USER, DB_PASSWORD; REDIS_URL) are used
    as they are. The others are started, or shared with the commands that run already; the last
    command stops them and waits until they are down. Raises ServersError, which says what to do.
    """
    mariadb, dsn = _given_mariadb(environment), _given_redis(environment)
    if mariadb is not None and dsn is not None:
        yield Servers(mariadb=mariadb, redis_dsn=dsn)
        return
    kinds: list[Kind] = []
    if mariadb is None:
        kinds.append("mariadb")
    if dsn is None:
        kinds.append("redis")
    with connected(Request(kinds=tuple(kinds)), home) as reply:
        mariadb, dsn = mariadb or reply.mariadb, dsn or reply.redis_dsn
        if mariadb is None or dsn is None:
            raise ServersError(f"the servers did not start; see {home / 'supervisor.log'}")
        yield Servers(mariadb=mariadb, redis_dsn=dsn)


@contextmanager
def connected(request: Request, home: Path = HOME) -> Iterator[Reply]:
    """The supervisor's answer to `request`; starts one when there is none. Raises ServersError."""
    with process.private_umask():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
    # One command at a time looks for the supervisor, so that two never start one each.
    with (home / "start.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for kind in request.kinds:
            install.ensure(kind)
        connection, reply = _find(request, home) or _launch(request, home)
    try:
        if reply.error is not None:
            raise ServersError(reply.error)
        yield reply
    finally:
        _let_go(connection)


def ask(request: Request, home: Path = HOME) -> Reply | None:
    """The answer of the supervisor that runs; None when none does."""
    found = _find(request, home)
    if found is None:
        return None
    connection, reply = found
    _let_go(connection)
    return reply


def _find(request: Request, home: Path) -> tuple[socket.socket, Reply] | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        with socket_address(home / "socket") as address:
            connection.connect(address)
        reply = _exchange(connection, request)
    except (FileNotFoundError, ConnectionError):
        # No supervisor, a socket that a dead one left, or one that stops just now.
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return connection, reply


def _launch(request: Request, home: Path) -> tuple[socket.socket, Reply]:
    """Starts a supervisor whose first user we are from its first moment on."""
    ours, theirs = socket.socketpair()
    with theirs, process.private_umask(), (home / "supervisor.log").open("ab") as output:
        command = [sys.executable, "-m", "dev.servers.supervisor", str(home.resolve())]
        launched = subprocess.Popen(
            [*command, str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C ends the command; the supervisor ends in order
            pass_fds=[theirs.fileno()],
        )
    launched.wait()  # it forks and goes on by itself
    try:
        return ours, _exchange(ours, request)
    except ConnectionError as error:
        ours.close()
        end = process.tail(home / "supervisor.log")
        raise ServersError(f"the servers' supervisor ended at once:\n{end}") from error
    except BaseException:
        ours.close()
        raise


def _exchange(connection: socket.socket, request: Request) -> Reply:
    connection.settimeout(_START_S)
    answer = b""
    try:
        connection.sendall(request.model_dump_json().encode() + b"\n")
        while not answer.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                raise ConnectionResetError("the supervisor went away")
            answer += part
    except TimeoutError as error:
        raise ServersError(f"the servers did not start within {_START_S:.0f} s") from error
    return Reply.model_validate_json(answer)


def _let_go(connection: socket.socket) -> None:
    """Waits until others use the servers or the servers are down."""
    with connection:
        connection.settimeout(_STOP_S)
        try:
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        except ConnectionError:
            return  # gone already
        except TimeoutError as error:
            raise ServersError(f"the servers did not stop within {_STOP_S:.0f} s") from error


def _given_mariadb(environment: Mapping[str, str]) -> MariaDB | None:
    if not environment.get("DB_HOST"):
        return None
    return MariaDB(
        host=environment["DB_HOST"],
        port=int(environment.get("DB_PORT") or 3306),
        user=environment.get("DB_USER") or "root",
        password=SecretStr(environment.get("DB_PASSWORD", "")),
    )


def _given_redis(environment: Mapping[str, str]) -> Secret[RedisDsn] | None:
    if not environment.get("REDIS_URL"):
        return None
    return Secret[RedisDsn](RedisDsn(environment["REDIS_URL"]))

"""Servers of one's own, for whoever stops, pauses or kills them. Called by tests, chaos, bench."""

from __future__ import annotations

import fcntl
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.servers import install, process
from dev.servers.client import HOME
from dev.servers.mariadb import MariadbServer
from dev.servers.redis_server import RedisServer


@contextmanager
def extra_mariadb(home: Path = HOME, *, options: Sequence[str] = ()) -> Iterator[MariadbServer]:
    """A started server with an empty data folder of its own, removed afterwards. `options` are of
    its command line.

    Its `access` says where it is; `stop`, `kill`, `pause`, `resume` and `start` may be called at
    will, and a `start` keeps the port. It dies with the thread that entered the block. Raises
    ServersError.
    """
    install.ensure("mariadb")
    with _own_folder(home) as own:
        # Killed outright with its parent: nobody needs its data, and a paused server would
        # not follow a gentler signal.
        server = MariadbServer(own / "mariadb", die_with_parent=signal.SIGKILL, options=options)
        try:
            server.start()
            yield server
        finally:
            server.resume()
            server.kill()


@contextmanager
def extra_redis(home: Path = HOME) -> Iterator[RedisServer]:
    """A Redis of the same kind: started, empty, removed afterwards; `stop`, `kill` and `start` may
    be called at will. Raises ServersError."""
    install.ensure("redis")
    with _own_folder(home) as own:
        server = RedisServer(own / "redis", die_with_parent=signal.SIGKILL)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def _own_folder(home: Path) -> Iterator[Path]:
    """Locked while the block lasts, removed with it."""
    folder = home / "extra"
    with process.private_umask():
        folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    own = Path(tempfile.mkdtemp(dir=folder))
    with (own / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield own
        finally:
            shutil.rmtree(own)


def _sweep(folder: Path) -> None:
    """Removes what killed commands left: nobody holds the lock of such a folder."""
    for left in folder.iterdir():
        lock = left / "lock"
        if not lock.exists():
            continue
        with lock.open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(left, ignore_errors=True)

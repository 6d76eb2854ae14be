"""Finds loopback ports for the servers. Called by `mariadb` and `redis_server`."""

from __future__ import annotations

import socket
from pathlib import Path

HOST = "127.0.0.1"


def choose(remembered: Path) -> int:
    """The port of the last time when it is still free, else a free one; kept in `remembered`."""
    port = _read(remembered)
    if port is None or not _is_free(port):
        port = _free()
        remembered.write_text(f"{port}\n")
    return port


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a connection that is still fading away does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

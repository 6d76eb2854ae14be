"""`python -m dev.servers up|down|status`: what `make up` and `make down` call."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dev.servers.client import HOME, ask, connected
from dev.servers.protocol import Reply, Request
from dev.servers.values import ServersError


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 when done, 1 when the servers cannot be had, 3 when none run (status)."""
    parser = argparse.ArgumentParser(prog="python -m dev.servers", description=__doc__)
    parser.add_argument("do", choices=["up", "down", "status"])
    parser.add_argument("--home", type=Path, default=HOME, help="folder of data and logs")
    told = parser.parse_args(arguments)
    do = {"up": _up, "down": _down, "status": _status}[told.do]
    try:
        return do(told.home.resolve())
    except ServersError as error:
        print(error, file=sys.stderr)
        return 1


def _up(home: Path) -> int:
    with connected(Request(kinds=("mariadb", "redis"), keep=True), home) as reply:
        _show(reply)
        print(f"Passwords are in {home}. They run until: make down")
    return 0


def _down(home: Path) -> int:
    reply = ask(Request(keep=False), home)
    if reply is None:
        print("No servers are running.")
    elif reply.others:
        print(f"{reply.others} running command(s) still use the servers; the last one stops them.")
    else:
        print("The servers are stopped.")
    return 0


def _status(home: Path) -> int:
    reply = ask(Request(), home)
    if reply is None:
        print("No servers are running.")
        return 3
    _show(reply)
    print(f"Used by {reply.others} command(s){', kept until: make down' if reply.kept else ''}.")
    return 0


def _show(reply: Reply) -> None:
    if reply.mariadb is not None:
        print(f"MariaDB  {reply.mariadb.host}:{reply.mariadb.port}  user {reply.mariadb.user}")
    if reply.redis_dsn is not None:
        dsn = reply.redis_dsn.get_secret_value()
        print(f"Redis    {dsn.host}:{dsn.port}")


if __name__ == "__main__":
    sys.exit(main())

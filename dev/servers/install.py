"""Gets the servers' programs when the machine lacks them. Called by `client` and `extra`.

With the system's package manager where that is allowed, else unpacked into the checkout, else
by saying what to type.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from dev.servers import programs, unpack
from dev.servers.process import run
from dev.servers.values import ServersError


@dataclass(frozen=True, slots=True)
class _Manager:
    """A package manager: how it installs, and the packages of each kind of server."""

    program: str
    install: tuple[str, ...]
    packages: dict[str, tuple[tuple[str, ...], ...]]
    """Sets to be tried in turn until the programs are there."""
    needs_root: bool = True


_MANAGERS = (
    _Manager(
        "apt-get",
        ("apt-get", "install", "--yes", "--no-install-recommends"),
        # The core packages hold the programs without the system service, which nobody asked for.
        # Redis's is in redis-tools: see programs.name_redis_server.
        {
            "mariadb": (
                ("mariadb-server-core", "mariadb-client", "mariadb-client-core"),
                ("mariadb-server", "mariadb-client"),
            ),
            "redis": (("redis-tools",), ("redis-server",)),
        },
    ),
    _Manager(
        "dnf",
        ("dnf", "install", "--assumeyes"),
        {"mariadb": (("mariadb-server", "mariadb"),), "redis": (("redis",), ("valkey",))},
    ),
    _Manager(
        "apk",
        ("apk", "add"),
        {"mariadb": (("mariadb", "mariadb-client"),), "redis": (("redis",),)},
    ),
    _Manager(
        "brew",
        ("brew", "install"),
        {"mariadb": (("mariadb",),), "redis": (("redis",),)},
        needs_root=False,
    ),
)


def ensure(kind: str) -> None:
    """Returns when the programs of this kind of server are there.

    Raises ServersError with the line to type when they cannot be had.
    """
    if not programs.missing(kind):
        return
    manager = _manager()
    if manager is None:
        raise ServersError(_advice(kind, None, ["no known package manager here"]))
    troubles: list[str] = []
    rights = _rights(manager)
    for packages in manager.packages[kind]:
        if rights is not None and _try(manager, rights, packages, troubles, kind):
            return
    if manager.program == "apt-get":
        for packages in manager.packages[kind]:
            if _try_unpack(packages, troubles, kind):
                return
    raise ServersError(_advice(kind, manager, troubles))


def _try(
    manager: _Manager,
    rights: Sequence[str],
    packages: Sequence[str],
    troubles: list[str],
    kind: str,
) -> bool:
    _say(f"Installing {' '.join(packages)} with {manager.program} ...")
    try:
        if manager.program == "apt-get":
            run([*rights, "apt-get", "update"])
        run([*rights, "env", "DEBIAN_FRONTEND=noninteractive", *manager.install, *packages])
    except ServersError as error:
        troubles.append(str(error))
        return False
    checker = programs.find("redis-check-rdb")
    if kind == "redis" and programs.missing(kind) and checker is not None:
        programs.name_redis_server(checker, programs.PRIVATE / "bin")
    return not programs.missing(kind)


def _try_unpack(packages: Sequence[str], troubles: list[str], kind: str) -> bool:
    _say(f"Unpacking {' '.join(packages)} into {programs.PRIVATE} ...")
    try:
        unpack.unpack(packages, programs.PRIVATE)
    except ServersError as error:
        troubles.append(str(error))
        return False
    return not programs.missing(kind)


def _manager() -> _Manager | None:
    return next((manager for manager in _MANAGERS if shutil.which(manager.program)), None)


def _rights(manager: _Manager) -> list[str] | None:
    """What goes before the command, or None when we may not install."""
    if not manager.needs_root or os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        try:
            run(["sudo", "--non-interactive", "true"])
        except ServersError:
            return None
        return ["sudo", "--non-interactive"]
    return None


def _advice(kind: str, manager: _Manager | None, troubles: Sequence[str]) -> str:
    variables = "DB_HOST, DB_PORT, DB_USER, DB_PASSWORD" if kind == "mariadb" else "REDIS_URL"
    lines = [f"{kind} is not installed: {', '.join(programs.missing(kind))} not found."]
    if manager is not None:
        sudo = "sudo " if manager.needs_root else ""
        line = f"{sudo}{' '.join(manager.install)} {' '.join(manager.packages[kind][-1])}"
        lines.append(f"Type:  {line}")
    else:
        lines.append("Install it with your system's package manager.")
    lines.append(f"Or point {variables} at a server that runs elsewhere.")
    lines += [f"What was tried: {trouble}" for trouble in troubles]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

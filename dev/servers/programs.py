"""Finds the servers' programs on this machine. Called by the servers and by `install`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dev.servers.values import ServersError

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

PRIVATE = ROOT / ".local" / "programs"
"""Programs that `install` unpacked; `bin/` holds what is to be called."""

# Servers are often not on a user's PATH: Debian keeps them in sbin, Fedora in libexec, Homebrew
# on Apple's own processors in /opt.
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin")

NEEDED = {
    "mariadb": ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump"),
    "redis": ("redis-server",),
}
"""Each kind of server and the programs that it takes."""


def find(name: str) -> Path | None:
    """Where the program is, on the PATH, where servers usually are, or among the unpacked ones."""
    places = [os.environ.get("PATH", ""), *_PLACES, str(PRIVATE / "bin")]
    found = shutil.which(name, path=os.pathsep.join(places))
    return None if found is None else Path(found)


def need(name: str) -> Path:
    """As `find`. Raises ServersError when the program is not there."""
    found = find(name)
    if found is None:
        raise ServersError(f"{name} is not installed")
    return found


def missing(kind: str) -> list[str]:
    """The programs that this kind of server still lacks."""
    return [name for name in NEEDED[kind] if find(name) is None]


def private_folder(name: str) -> Path | None:
    """The folder of an unpacked program; None when the machine has its own."""
    found = find(name)
    return found.parent if found is not None and found.is_relative_to(PRIVATE) else None


def install_options(program: Path) -> list[str]:
    """What mariadb-install-db must be told when it does not live where it was built for."""
    if program.is_relative_to(PRIVATE):
        return [f"--basedir={PRIVATE / 'tree' / 'usr'}"]
    return []


def name_redis_server(target: Path, folder: Path) -> None:
    """Links `folder`/redis-server to `target` when that is there and the link is not.

    Debian and Ubuntu keep the server in the package redis-tools as redis-check-rdb: the program
    acts by the name it is called. Their package redis-server adds only a link and a service.
    """
    link = folder / "redis-server"
    if target.exists() and not link.exists():
        folder.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)  # one that points nowhere
        link.symlink_to(target)

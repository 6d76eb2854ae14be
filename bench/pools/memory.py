"""What known and connected dealers cost in memory, each way in a process of its own.

`python -m bench.pools.memory helix connected 1 1000 traced`: the way, `known` or `connected`, first
id and count of the dealers, and with `traced` what Python itself counts, in place of the process's
memory: counting takes memory too. Started by `measured`, for `.run`.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop

from bench.pools.ground import COLD_QUERY, PoolGround
from bench.pools.ways import WAYS
from tenancy.settings import TenancySettings

KNOWN = "known"
CONNECTED = "connected"

_AT_ONCE = 16
_LIMIT_S = 300.0
_STATM = Path("/proc/self/statm")


class ChildFailed(Exception):
    """A measuring process ended with an error; what it said is in the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What `count` dealers came to."""

    way: str
    what: str
    """KNOWN: their rows and pools, no connection. CONNECTED: one idle connection each as well."""
    count: int
    rss_mb: float
    """Growth of the process, in 2**20 bytes."""
    traced_mb: float
    """Python's own part of it, measured in a second process."""
    seconds: float
    """For all of them, 16 at a time, once their rows are read."""


async def measured(ground: PoolGround, way: str, what: str) -> Memory:
    """Raises ChildFailed."""
    dealers = ground.known if what == KNOWN else ground.dealers[1:]
    plain = await _child(ground, way, what, dealers)
    traced = await _child(ground, way, what, dealers, "traced")
    return Memory(
        way=way,
        what=what,
        count=len(dealers),
        rss_mb=round(plain["bytes"] / 2**20, 2),
        traced_mb=round(traced["bytes"] / 2**20, 2),
        seconds=round(plain["seconds"], 3),
    )


async def _child(
    ground: PoolGround, way: str, what: str, dealers: range, *more: str
) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.pools.memory",
        way, what, str(dealers.start), str(len(dealers)), *more,
        env={**os.environ, **ground.environment()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ChildFailed(f"{way}, {what}: {err.decode(errors='replace')[-4000:]}")
    result: dict[str, float] = orjson.loads(out.splitlines()[-1])
    return result


async def grown(way_name: str, what: str, dealers: range, *, traced: bool) -> dict[str, float]:
    """In this process: bytes that it grew by, and the seconds that it took."""
    size = _traced_bytes if traced else _resident_bytes
    async with WAYS[way_name](TenancySettings()) as way:

        async def connect(empresa_id: int) -> None:
            await way.ask(empresa_id, "SELECT 1")

        await way.ask(1, COLD_QUERY)  # imports, connection to the registry, a first pool
        if traced:
            tracemalloc.start()
        before = size()
        await _for_all(way.read_row, dealers)
        begun = time.perf_counter()
        await _for_all(way.know if what == KNOWN else connect, dealers)
        seconds = time.perf_counter() - begun
        return {"bytes": size() - before, "seconds": seconds}


async def _for_all(use: Callable[[int], Awaitable[None]], dealers: range) -> None:
    waiting = iter(dealers)

    async def some() -> None:
        for empresa_id in waiting:
            await use(empresa_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(some())


def _traced_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _resident_bytes() -> int:
    """Of this process now, where the system tells; else the most that it ever had."""
    gc.collect()
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    _way, _what, _first, _count, *_more = sys.argv[1:]
    _dealers = range(int(_first), int(_first) + int(_count))
    _found = uvloop.run(grown(_way, _what, _dealers, traced="traced" in _more))
    print(orjson.dumps(_found).decode(), flush=True)

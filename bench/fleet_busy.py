"""Dealers under messages: webhooks in, one worker out. Called by `bench.fleet`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from redis.asyncio import Redis

from bench.checks import WrongResult
from bench.contest import get_ready, pipes, started, stop
from bench.contestants import helix
from bench.figures import NotTold, resident_mb
from bench.ground import Ground, run
from bench.webhook import web_process, webhook_channels
from bench.webhook_load import requests
from dev.servers.mariadb import MariadbServer
from tenancy.names import database_of
from worker.queue.keys import Task, TaskKeys, inbox

_CONNECTIONS = 8
_LENGTH = b"content-length: "
_LOOK_EVERY_S = 0.1
_STALLED_S = 30.0
_PEAK = "SHOW GLOBAL STATUS LIKE 'Max_used_connections'"


async def busy(
    server: MariadbServer,
    ground: Ground,
    redis: Redis,
    messages: int,
    say: Callable[[str], object],
) -> dict[str, Any]:
    """Those fields of `bench.fleet.Fleet` that it measures; so many messages to each dealer. Raises
    WrongResult."""
    channels = await webhook_channels(ground)
    total = len(ground.empresa_ids) * messages
    before = await _redis_now(redis)
    async with web_process(ground) as (port, _):
        began = time.perf_counter()
        await _post(port, islice(requests(channels, "127.0.0.1"), total))
        webhook_s = time.perf_counter() - began
    waiting = await _redis_now(redis)
    if await _left(ground, redis) != total:
        raise WrongResult("what was answered with 200 does not stand on the inboxes")
    say(f"{total:,} webhooks taken in {webhook_s:.1f} s")
    await run(ground.mariadb, "FLUSH STATUS")
    async with started(ground, helix("lucas").command) as worker:
        await get_ready(worker)
        rss_before = _memory(worker.pid)
        began = time.perf_counter()
        pipes(worker)[0].write(b"go\n")
        await _emptied(ground, redis)
        drain_s = time.perf_counter() - began
        rss = _memory(worker.pid)
        done = await _redis_now(redis)
        await stop(worker)
    await _check(ground, messages)
    say(f"drained in {drain_s:.1f} s")
    ((_, peak),) = await run(ground.mariadb, _PEAK)
    return {
        "webhook_s": round(webhook_s, 2),
        "inbox_bytes_each": round((waiting["memory"] - before["memory"]) / total, 1),
        "journal_bytes_each": round((waiting["journal"] - before["journal"]) / total, 1),
        "redis_commands_in": round((waiting["commands"] - before["commands"]) / total, 1),
        "drain_s": round(drain_s, 2),
        "redis_commands_out": round((done["commands"] - waiting["commands"]) / total, 1),
        "connections": int(peak),
        "worker_mb": rss,
        "worker_mb_before": rss_before,
        "server_mb": None if server.pid is None else _memory(server.pid),
    }


async def _post(port: int, source: Iterator[bytes]) -> None:
    """Each once, over a few kept connections. Raises WrongResult for any answer but 200."""

    async def some() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in source:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise WrongResult(f"a webhook was answered {head[:30]!r}")
            length = head.lower().partition(_LENGTH)[2].split(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
        writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            group.create_task(some())


async def _redis_now(redis: Redis) -> dict[str, int]:
    info = await redis.info()
    return {
        "memory": int(info["used_memory_dataset"]),
        "journal": int(info.get("aof_current_size", 0)),
        "commands": int(info["total_commands_processed"]),
    }


async def _left(ground: Ground, redis: Redis) -> int:
    async with redis.pipeline(transaction=False) as pipe:
        for empresa_id in ground.empresa_ids:
            pipe.xlen(inbox(empresa_id))
        return sum(await pipe.execute())


async def _emptied(ground: Ground, redis: Redis) -> None:
    """Waits for as long as something moves. Raises WrongResult.

    One command a look, so that looking is no load: who still has to be drained stands in one set.
    """
    due = TaskKeys(0, Task.DRAIN).due
    before, moved_at = None, time.monotonic()
    while left := await redis.zcard(due) or await _left(ground, redis):
        if left != before:
            before, moved_at = left, time.monotonic()
        elif time.monotonic() - moved_at > _STALLED_S:
            raise WrongResult(f"{left} dealers are left and nothing moves")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _check(ground: Ground, messages: int) -> None:
    """Every message is stored at its own dealer."""
    for empresa_id in ground.empresa_ids:
        sql = "SELECT COUNT(*) FROM mensagens WHERE tipo = 'recebida'"
        ((stored,),) = await run(ground.mariadb, sql, database=database_of(empresa_id))
        if stored != messages:
            raise WrongResult(f"{stored} of {messages} messages are stored at a dealer")


def _memory(pid: int) -> float | None:
    try:
        return round(resident_mb(pid), 1)
    except NotTold:
        return None

"""Measures one contestant on one load. Called by `bench.__main__` and by the tests.

All messages are in its queue before its only process hears "go"; the time ends when its queue says
that all is committed. Then the databases are checked.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from arq.connections import ArqRedis
from pydantic import SecretStr

from bench.checks import Outcome, WrongResult, check
from bench.child import READY
from bench.ground import Ground
from bench.load import Put, into_arq, into_inbox, preload
from bench.plain_arq import JOB
from bench.redis_database import wipe
from bench.sizes import Shape
from worker.process import connect
from worker.queue.keys import QUEUE, inbox
from worker.settings import WorkerSettings

_LOOK_EVERY_S = 0.01
_STALLED_S = 30.0
_STOP_S = 20.0
_SHOWN = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """Who is measured: a process of this folder, and how its queue is fed and found empty."""

    name: str
    answer: str
    """A name in `bench.answers.ANSWERS`."""
    command: tuple[str, ...]
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement."""

    contestant: str
    answer: str
    shape: Shape
    seconds: float
    cpu_s: float
    """CPU time of the worker process alone; the servers' is not in it."""
    outcome: Outcome

    @property
    def per_second(self) -> float:
        """Messages per second, from the first to the last commit."""
        return self.shape.total / self.seconds


def helix(answer: str) -> Contestant:
    """The product with an answer."""
    command = ("bench.product", answer)
    return Contestant(name="helix", answer=answer, command=command, ours=True)


def plain_arq(answer: str, *, cached: bool, max_jobs: int = 50) -> Contestant:
    """The baseline. `cached`: reads the stock every five seconds, not with every message."""
    stock = "cached" if cached else "fresh"
    return Contestant(
        name=f"plain arq, {stock} stock",
        answer=answer,
        command=("bench.plain_arq", answer, stock, str(max_jobs)),
        ours=False,
    )


async def measure(ground: Ground, contestant: Contestant, shape: Shape) -> Result:
    """Raises WrongResult when something is lost, double, out of order (ours) or too slow."""
    redis = await connect(WorkerSettings(redis_url=SecretStr(ground.redis_url)))
    try:
        await wipe(redis)
        await ground.wipe()
        await preload(ground, shape, _way_in(contestant, redis))
        async with _process(ground, contestant) as process:
            seconds = await _time(process, _left(contestant, ground, redis))
            cpu_s = await _stop(process)
    finally:
        await redis.aclose()
    outcome = await check(ground, shape, ordered=contestant.ours)
    return Result(
        contestant=contestant.name,
        answer=contestant.answer,
        shape=shape,
        seconds=seconds,
        cpu_s=cpu_s,
        outcome=outcome,
    )


def _way_in(contestant: Contestant, redis: ArqRedis) -> Put:
    return into_inbox(redis) if contestant.ours else into_arq(redis, JOB)


def _left(contestant: Contestant, ground: Ground, redis: ArqRedis) -> Callable[[], Awaitable[int]]:
    """How many messages are not yet committed; both queues forget one only after its commit."""

    async def entries() -> int:
        async with redis.pipeline(transaction=False) as pipe:
            for empresa_id in ground.empresa_ids:
                pipe.xlen(inbox(empresa_id))
            return sum(await pipe.execute())

    async def jobs() -> int:
        return int(await redis.zcard(QUEUE))

    return entries if contestant.ours else jobs


@asynccontextmanager
async def _process(
    ground: Ground, contestant: Contestant
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A contestant's process; what it has to say is shown when the contest fails."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *contestant.command,
            env={**os.environ, **ground.environment()},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )  # fmt: skip
        try:
            yield process
        except WrongResult as error:
            log.seek(0)
            error.add_note(log.read()[-_SHOWN:].decode(errors="replace"))
            raise
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _time(process: asyncio.subprocess.Process, left: Callable[[], Awaitable[int]]) -> float:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    if (await process.stdout.readline()).decode().strip() != READY:
        raise WrongResult("the process ended before it was ready")
    process.stdin.write(b"go\n")
    started = moved_at = time.perf_counter()
    before = None
    while now_left := await left():
        if process.returncode is not None:
            raise WrongResult(f"the process ended early, with code {process.returncode}")
        if now_left != before:
            before, moved_at = now_left, time.perf_counter()
        elif time.perf_counter() - moved_at > _STALLED_S:
            raise WrongResult(f"{now_left} messages are left and nothing moves")
        await asyncio.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - started


async def _stop(process: asyncio.subprocess.Process) -> float:
    """Returns the CPU seconds that the process reports of itself."""
    async with asyncio.timeout(_STOP_S):
        out, _ = await process.communicate(b"")  # closes its stdin
    return float(orjson.loads(out.splitlines()[-1])["cpu_s"])

"""Measures one contestant on one load. Called by the parts of `bench` and by the tests.

All messages are in its queue before its only process hears "go"; the time ends when its queue says
that all is committed. Then the databases are checked.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import orjson
from arq.connections import ArqRedis
from pydantic import SecretStr

from bench.checks import Outcome, WrongResult, check
from bench.child import READY
from bench.contestants import Contestant
from bench.ground import Ground
from bench.redis_database import wipe
from bench.sizes import Shape
from worker.arq_queues import connect
from worker.settings import WorkerSettings

_LOOK_EVERY_S = 0.01
_STALLED_S = 30.0
_STOP_S = 20.0
_GOODBYE_S = 5.0
_SHOWN = 4000
_LONGEST_LINE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement."""

    contestant: str
    answer: str
    shape: Shape
    seconds: float
    cpu_s: float
    """CPU time of the worker processes alone; the servers' is not in it."""
    outcome: Outcome

    @property
    def per_second(self) -> float:
        """Messages per second, from the first to the last commit."""
        return self.shape.total / self.seconds


async def measure(
    ground: Ground, contestant: Contestant, shape: Shape, *, workers: int = 1
) -> Result:
    """With so many processes.

    Raises WrongResult when something is lost, double, out of order (ours) or too slow.
    """
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(wiped(ground, shape.empresas))
        queue = contestant.queue(ground, redis)
        await queue.fill(shape)
        first_line = await contestant.tell(ground, shape) if contestant.tell else b""
        processes = [
            await stack.enter_async_context(started(ground, contestant.command))
            for _ in range(workers)
        ]
        for process in processes:
            await get_ready(process, first_line)
        seconds = await _time(processes, queue.left)
        cpu_s = sum([(await stop(process)).cpu_s for process in processes])
    outcome = await check(ground, shape, ordered=contestant.ours)
    return Result(
        contestant=contestant.name,
        answer=contestant.answer,
        shape=shape,
        seconds=seconds,
        cpu_s=cpu_s,
        outcome=outcome,
    )


@asynccontextmanager
async def wiped(ground: Ground, empresas: int | None = None) -> AsyncIterator[ArqRedis]:
    """Its Redis, as if nobody had ever written; so many of its dealers, or all, are used now."""
    redis = await connect(WorkerSettings(redis_url=SecretStr(ground.redis_url)))
    try:
        await wipe(redis)
        await ground.wipe()
        ground.used.update(ground.empresa_ids[:empresas])
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def started(
    ground: Ground, command: Sequence[str], **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A contestant's process; what it has to say is shown when the contest fails."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **ground.environment(), **environment},
            limit=_LONGEST_LINE,
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


async def get_ready(process: asyncio.subprocess.Process, first_line: bytes = b"") -> None:
    """Waits until the process says that it is. Raises WrongResult."""
    pipes_in, pipes_out = pipes(process)
    if first_line:
        pipes_in.write(first_line + b"\n")
    if (await pipes_out.readline()).decode().strip() != READY:
        raise WrongResult("the process ended before it was ready")


def pipes(
    process: asyncio.subprocess.Process,
) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Its stdin and stdout."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    return process.stdin, process.stdout


async def _time(
    processes: Sequence[asyncio.subprocess.Process], left: Callable[[], Awaitable[int]]
) -> float:
    for process in processes:
        pipes(process)[0].write(b"go\n")
    began = moved_at = time.perf_counter()
    before = None
    while now_left := await left():
        if codes := [one.returncode for one in processes if one.returncode is not None]:
            raise WrongResult(f"a process ended early, with code {codes[0]}")
        if now_left != before:
            before, moved_at = now_left, time.perf_counter()
        elif time.perf_counter() - moved_at > _STALLED_S:
            raise WrongResult(f"{now_left} messages are left and nothing moves")
        await asyncio.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a contestant's process says of itself at its end."""

    cpu_s: float
    commits: Mapping[str, float] = field(default_factory=dict)
    """By message id, on the monotonic clock, when it was asked to note them."""


async def stop(process: asyncio.subprocess.Process) -> Report:
    """Ends its stdin and takes its report; a process that is slow to end is killed then."""
    pipes_in, pipes_out = pipes(process)
    pipes_in.close()
    try:
        async with asyncio.timeout(_STOP_S):
            report = Report(**orjson.loads(await pipes_out.readline()))
    except (TimeoutError, orjson.JSONDecodeError) as error:
        raise WrongResult("the process did not report at its end") from error
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
    return report

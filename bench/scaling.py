"""The part `scaling`: more workers, more empresas, an idle system. Called by `bench.__main__`.

As many empresas as are asked for are opened once and serve all of it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.checks import WrongResult
from bench.contest import get_ready, measure, pipes, started, stop, wiped
from bench.contestants import helix
from bench.figures import NotTold, cpu_seconds, resident_mb
from bench.ground import Ground
from bench.latency import emptied
from bench.queues import InboxQueue
from bench.sizes import Scale, Shape
from bench.webhook import free_port, until_ready, web_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Messages per second with the trivial answer."""

    workers: int
    empresas: int
    messages: int
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """None: this system does not tell."""

    speeds: tuple[Speed, ...]
    many_to_few: float
    """Throughput with many empresas by that with few, one worker each."""
    known: int
    active: int
    memory_mb: float | None
    idle_worker: float | None
    """Share of a core, with all empresas known."""
    idle_web: float | None


async def scaling(ground: Ground, plan: Scale, say: Callable[[str], object]) -> Found:
    """All of it. Raises WrongResult."""
    many = replace(plan.few, empresas=plan.many, conversations=max(1, plan.few.total // plan.many))
    speeds = []
    for shape, workers in [*((plan.few, count) for count in plan.workers), (many, 1)]:
        result = await measure(ground, helix("trivial"), shape, workers=workers)
        speeds.append(
            Speed(workers=workers, empresas=shape.empresas, messages=shape.total,
                  per_second=round(result.per_second, 1))
        )  # fmt: skip
        say(f"{workers} workers, {shape.empresas} empresas: {result.per_second:,.0f} messages/s")
    by_one = {speed.empresas: speed.per_second for speed in speeds if speed.workers == 1}
    worker, web, memory = await _idle(ground, plan)
    return Found(
        speeds=tuple(speeds),
        many_to_few=round(by_one[many.empresas] / by_one[plan.few.empresas], 3),
        known=plan.many,
        active=plan.active,
        memory_mb=memory,
        idle_worker=worker,
        idle_web=web,
    )


async def _idle(ground: Ground, plan: Scale) -> tuple[float | None, float | None, float | None]:
    """CPU of a worker and a web that have nothing to do, then the worker's memory when busy."""
    command = (sys.executable, "-m", "worker", "worker")
    port = free_port()
    async with (
        wiped(ground),  # the contests left replies that a true worker would send
        web_process(ground) as (_, web),
        started(ground, command, WORKER_HEALTH_PORT=str(port)) as worker,
    ):
        await until_ready(worker, port)
        await asyncio.sleep(plan.settle_s)
        try:
            before = cpu_seconds(worker.pid), cpu_seconds(web)
        except NotTold:
            return None, None, None
        await asyncio.sleep(plan.idle_s)
        after = cpu_seconds(worker.pid), cpu_seconds(web)
        if worker.returncode is not None:
            raise WrongResult(f"the idle worker ended, with code {worker.returncode}")
    idle = [
        round((late - early) / plan.idle_s, 4) for early, late in zip(before, after, strict=True)
    ]
    return idle[0], idle[1], await _memory(ground, plan)


async def _memory(ground: Ground, plan: Scale) -> float:
    """After a message to each empresa, and many more to those that are busy."""
    everyone = Shape(name="known", empresas=plan.many, conversations=1, messages=1)
    busy = Shape(name="active", empresas=plan.active, conversations=20, messages=1)
    async with (
        wiped(ground) as redis,
        started(ground, helix("trivial").command) as process,
    ):
        queue = InboxQueue(ground, redis)
        await get_ready(process)
        pipes(process)[0].write(b"go\n")
        for shape in (everyone, busy):
            await queue.fill(shape)
            await emptied(queue.left)
        memory = resident_mb(process.pid)
        await stop(process)
    return round(memory, 1)

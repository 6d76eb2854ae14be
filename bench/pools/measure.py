"""Measures time and CPU of the three ways, in turn on the same server. Called by `.run` and tests.

CPU is that of this process alone; the server's is not in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median, quantiles

from bench.pools.ground import COLD_QUERY, PoolGround
from bench.pools.sizes import PoolPlan
from bench.pools.ways import AIOMYSQL, FRESH, HELIX, WAYS, Way

_TRIVIAL = "SELECT 1"
_FRESH_IS_SLOWER = 50
_TASKS = 16
_CONTENTIONS = 3

CYCLE = "acquire + release, CPU"
LEND = "lease by dealer's id, CPU"
ASK_CPU = "acquire + SELECT 1 + release, CPU"
ASK = "acquire + SELECT 1 + release, p50"
COLD = "cold first query, p50"
COLD_99 = "cold first query, p99"
THROUGHPUT = "16 tasks on 4 places"
FAIRNESS = "16 tasks on 4 places: least served / most served"
WAIT_99 = "16 tasks on 4 places: loan p99"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one way came to."""

    name: str
    way: str
    value: float
    unit: str
    runs: tuple[float, ...] = ()
    """Of which `value` is the median."""


async def costs(ground: PoolGround, plan: PoolPlan) -> list[Figure]:
    """CPU and time of a warm connection; the ways take turns, run by run."""
    empresa_id = ground.dealers[0]
    async with AsyncExitStack() as stack:
        ways = {
            name: await stack.enter_async_context(opened(ground.settings))
            for name, opened in WAYS.items()
        }
        for way in ways.values():
            await way.ask(empresa_id, _TRIVIAL)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for _ in range(plan.runs):
            for name, way in ways.items():
                less = _FRESH_IS_SLOWER if name == FRESH else 1
                runs[name].append(await _run_of(way, empresa_id, plan, less))
    return [figure for name, of_way in runs.items() for figure in _medians(name, of_way)]


async def _run_of(way: Way, empresa_id: int, plan: PoolPlan, less: int) -> dict[str, float]:
    cycles = max(1, plan.cycles // less)
    cycle = await _cpu_us(way.cycle, empresa_id, cycles)
    lend = await _cpu_us(way.lend, empresa_id, cycles)
    took, begun = [], time.process_time()
    for _ in range(max(2, plan.asks * 2 // less)):
        started = time.perf_counter()
        await way.ask(empresa_id, _TRIVIAL)
        took.append(time.perf_counter() - started)
    ask_cpu = 1e6 * (time.process_time() - begun) / len(took)
    return {CYCLE: cycle, LEND: lend, ASK_CPU: ask_cpu, ASK: 1e6 * median(took)}


async def _cpu_us(use: Callable[[int, int], Awaitable[None]], empresa_id: int, times: int) -> float:
    begun = time.process_time()
    await use(empresa_id, times)
    return 1e6 * (time.process_time() - begun) / times


def _medians(name: str, runs: list[dict[str, float]]) -> Iterator[Figure]:
    for figure in runs[0]:
        values = tuple(round(run[figure], 2) for run in runs)
        yield Figure(name=figure, way=name, value=median(values), unit="µs", runs=values)


async def first_queries(ground: PoolGround, plan: PoolPlan) -> list[Figure]:
    """Dealers that a process sees for the first time; each dealer by all ways, in turns who
    begins. The connection to the registry is open, the server has the tables open."""
    took: dict[str, list[float]] = {name: [] for name in WAYS}
    async with AsyncExitStack() as stack:
        ways = [
            (name, await stack.enter_async_context(opened(ground.settings)))
            for name, opened in WAYS.items()
        ]
        first, *others = ground.dealers[: plan.cold + 1]
        for _, way in ways:
            await way.ask(first, COLD_QUERY)
        for number, empresa_id in enumerate(others):
            turn = number % len(ways)
            for name, way in ways[turn:] + ways[:turn]:
                begun = time.perf_counter()
                await way.ask(empresa_id, COLD_QUERY)
                took[name].append(1e3 * (time.perf_counter() - begun))
    return [
        figure
        for name, times in took.items()
        for figure in (
            Figure(name=COLD, way=name, value=round(median(times), 3), unit="ms"),
            Figure(name=COLD_99, way=name, value=round(_p99(times), 3), unit="ms"),
        )
    ]


async def contention(ground: PoolGround, plan: PoolPlan) -> list[Figure]:
    """Four times as many tasks as the dealer may have connections, the ways in turn. Without a pool
    nobody waits for a place, so that way is left out."""
    runs: dict[str, list[tuple[list[int], list[float]]]] = {HELIX: [], AIOMYSQL: []}
    for _ in range(_CONTENTIONS):
        for name, of_way in runs.items():
            async with WAYS[name](ground.settings) as way:
                of_way.append(await contend(way, ground.dealers[0], plan.contention_s))
    return [
        Figure(name=figure, way=name, value=median(values), unit=unit, runs=values)
        for name, of_way in runs.items()
        for figure, unit, values in (
            (THROUGHPUT, "loans/s", tuple(round(sum(c) / plan.contention_s) for c, _ in of_way)),
            (FAIRNESS, "", tuple(round(min(c) / max(c), 3) for c, _ in of_way)),
            (WAIT_99, "ms", tuple(round(1e3 * _p99(t), 3) for _, t in of_way)),
        )
    ]


async def contend(way: Way, empresa_id: int, seconds: float) -> tuple[list[int], list[float]]:
    """How often each task was served, and how long (s) each loan took with its wait."""
    counts, times = [0] * _TASKS, []
    loop = asyncio.get_running_loop()

    async def work(number: int, until: float) -> None:
        while loop.time() < until:
            begun = time.perf_counter()
            await way.ask(empresa_id, _TRIVIAL)
            times.append(time.perf_counter() - begun)
            counts[number] += 1

    await asyncio.gather(*(way.ask(empresa_id, _TRIVIAL) for _ in range(_TASKS)))
    end = loop.time() + seconds
    async with asyncio.timeout(seconds + 30), asyncio.TaskGroup() as group:
        for number in range(_TASKS):
            group.create_task(work(number, end))
    return counts, times


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100, method="inclusive")[98]

"""The part `latency`: from the call that enqueues to the commit of the answer, at steady rates.

Called by `bench.__main__`. Messages come at their times whether the worker keeps up or not, each
from a buyer of his own; the worker process notes each commit on the clock that all processes of a
machine share.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from statistics import quantiles
from typing import TypeVar

from bench import commits
from bench.checks import WrongResult, check
from bench.contest import get_ready, measure, pipes, started, stop, wiped
from bench.contestants import Contestant, helix, plain_arq, plain_saq
from bench.ground import Ground
from bench.load import message_id, one_event
from bench.queues import Put, Queue
from bench.sizes import Shape, Steady
from worker.settings import WorkerSettings

_LOOK_EVERY_S = 0.05
_STALLED_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds from enqueueing to the committed answer."""

    contestant: str
    asked_per_s: int
    came_per_s: float
    messages: int
    p50: float
    p95: float
    p99: float
    worst: float
    is_half_of_most: bool = False


def contestants() -> tuple[Contestant, ...]:
    """The product beside two queues; arq looks as often as the product's own settings say."""
    arq = replace(
        plain_arq("trivial", cached=True, poll_s=WorkerSettings().poll_delay_s), name="plain arq"
    )
    return helix("trivial"), replace(plain_saq("trivial", cached=True), name="SAQ"), arq


async def latency(ground: Ground, plan: Steady, say: Callable[[str], object]) -> list[Latency]:
    """All rates of all contestants. Raises WrongResult."""
    found = []
    for contestant in contestants():
        most = (await measure(ground, contestant, plan.probe)).per_second
        for rate in (*plan.rates, half := int(most / 2)):
            one = await at_rate(ground, contestant, rate, plan)
            found.append(replace(one, is_half_of_most=rate == half))
            say(f"{contestant.name} at {rate}/s: p50 {one.p50:.1f} ms, p99 {one.p99:.1f} ms")
    return found


async def at_rate(ground: Ground, contestant: Contestant, rate: int, plan: Steady) -> Latency:
    """One contestant at one rate. Raises WrongResult."""
    shape = plan.shape(rate)
    sent: dict[str, float] = {}
    async with (
        _way_in(ground, contestant) as (put, left),
        started(ground, contestant.command, **{commits.SWITCH: "1"}) as process,
    ):
        await get_ready(process)
        pipes(process)[0].write(b"go\n")
        await _send(ground, shape, rate, put, sent)
        await emptied(left)
        report = await stop(process)
    await check(ground, shape, ordered=contestant.ours)
    if missing := sent.keys() - report.commits.keys():
        raise WrongResult(f"{len(missing)} messages are stored but no commit was noted")
    return summed_up(contestant.name, rate, sent, report.commits, skip=plan.empresas)


@asynccontextmanager
async def _way_in(
    ground: Ground, contestant: Contestant
) -> AsyncIterator[tuple[Put, Callable[[], Awaitable[int]]]]:
    async with wiped(ground) as redis:
        queue = contestant.queue(ground, redis)
        if not isinstance(queue, Queue):
            raise TypeError(f"{contestant.name} takes nothing while it works")
        async with queue.opened() as put:
            yield put, queue.left


async def _send(ground: Ground, shape: Shape, rate: int, put: Put, sent: dict[str, float]) -> None:
    async def send(empresa_id: int, conversation: int) -> None:
        event = one_event(empresa_id, conversation, 0)
        sent[message_id(empresa_id, conversation, 0)] = time.monotonic()
        await put(empresa_id, event)

    await pace(buyers(ground, shape), rate, send)


async def pace(
    whom: Iterable[tuple[int, int]],
    rate: int,
    send: Callable[[int, int], Coroutine[None, None, None]],
) -> None:
    """Each of (empresa, conversation) at its time, however long those before it take."""
    start = time.monotonic()
    async with asyncio.TaskGroup() as sends:
        for number, (empresa_id, conversation) in enumerate(whom):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            sends.create_task(send(empresa_id, conversation))


async def _started(
    send: Callable[[int, int], Awaitable[None]], empresa_id: int, conversation: int
) -> None:
    await send(empresa_id, conversation)


def buyers(ground: Ground, shape: Shape) -> Iterator[tuple[int, int]]:
    """(empresa, conversation), the empresas in turn."""
    for conversation in range(shape.conversations):
        for empresa_id in ground.empresa_ids[: shape.empresas]:
            yield empresa_id, conversation


async def emptied(left: Callable[[], Awaitable[int]]) -> None:
    """Waits until a queue is empty. Raises WrongResult."""
    until = time.monotonic() + _STALLED_S
    while remain := await left():
        if time.monotonic() > until:
            raise WrongResult(f"{remain} messages are left {_STALLED_S} s after the last came")
        await asyncio.sleep(_LOOK_EVERY_S)


Key = TypeVar("Key", str, tuple[int, str])


def summed_up(
    name: str, rate: int, began: Mapping[Key, float], ended: Mapping[Key, float], *, skip: int
) -> Latency:
    """From two times of each message, in seconds; the first `skip` that began do not count."""
    counted = list(began)[skip:]
    took_s = began[counted[-1]] - began[counted[0]]
    waits = sorted(1000 * (ended[key] - began[key]) for key in counted)
    cuts = quantiles(waits, n=100, method="inclusive")
    return Latency(
        contestant=name,
        asked_per_s=rate,
        came_per_s=round((len(counted) - 1) / took_s, 1),
        messages=len(waits),
        p50=round(cuts[49], 2),
        p95=round(cuts[94], 2),
        p99=round(cuts[98], 2),
        worst=round(waits[-1], 2),
    )

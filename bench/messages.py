"""The part `messages`: who is how quick with a queue full of them. Called by `bench.__main__`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.contest import Result, measure
from bench.contestants import Contestant, bullmq, helix, limit, plain_arq
from bench.ground import Ground
from bench.node_program import NodeMissing, installed
from bench.sizes import Plan, Shape

LIMIT_BATCHES = (64, 256)


def contests(plan: Plan, *, node: bool) -> Iterator[tuple[Contestant, Shape]]:
    """Who is measured on what, in order; rivals on the same load come right after each other."""
    for _ in range(plan.rounds):
        for shape in (plan.spread, plan.bursts, plan.hot):
            yield helix("trivial"), shape
            yield plain_arq("trivial", cached=True), shape
            if node:
                yield bullmq(cached=True), shape
            yield from ((limit(batch), shape) for batch in LIMIT_BATCHES)
            yield helix("lucas"), shape
            yield plain_arq("lucas", cached=True), shape
        yield plain_arq("trivial", cached=False), plan.spread
        if node:
            yield bullmq(cached=False), plan.spread


async def messages(ground: Ground, plan: Plan, say: Callable[[str], object]) -> list[Result]:
    """All contests. Raises WrongResult."""
    results: list[Result] = []
    for contestant, shape in contests(plan, node=await with_node(say)):
        result = await measure(ground, contestant, shape)
        results.append(result)
        say(
            f"{shape.name}, {result.answer}: {result.contestant}"
            f" {result.per_second:,.0f} messages/s"
        )
    return results


async def with_node(say: Callable[[str], object]) -> bool:
    """Whether the rival in Node can take part; says why when not."""
    try:
        await installed()
    except NodeMissing as error:
        say(f"BullMQ is left out: {error}")
        return False
    return True

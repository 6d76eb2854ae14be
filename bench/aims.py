"""The aims of the project, and whether the figures meet them. Called by `bench.__main__`.

They are set for two processors that nobody else uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.fleet import Fleet
from bench.latency import Latency
from bench.report import Line
from bench.scaling import Found
from bench.turns import LIMITS_MS, Pace
from bench.webhook import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One of them. `at_least` False: the figure must not be above the limit."""

    name: str
    measured: float
    limit: float
    at_least: bool
    unit: str

    @property
    def met(self) -> bool:
        """A miss by little is a miss."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def of_messages(made: Sequence[Line]) -> Iterator[Aim]:
    """The product beside its rivals; only those that took part."""
    speed = {(line.load, line.answer, line.contestant): line.per_second for line in made}
    for load, answer, rival, limit in (
        ("spread", "trivial", "plain arq, fresh stock", 20.0),
        ("spread", "trivial", "BullMQ, fresh stock", 12.0),
        ("spread", "trivial", "BullMQ, cached stock", 8.0),
        ("spread", "trivial", "limit, batches of 64", 0.6),
        ("spread", "trivial", "limit, batches of 256", 0.6),
        ("bursts", "trivial", "limit, batches of 256", 0.6),
        ("spread", "lucas", "plain arq, cached stock", 5.0),
        ("bursts", "lucas", "plain arq, cached stock", 5.0),
        ("spread", "lucas", "BullMQ, cached stock", 3.0),
        ("bursts", "lucas", "BullMQ, cached stock", 3.0),
    ):
        # Lucas is Python: the rival in Node answers trivially, which is the harder comparison.
        theirs = speed.get((load, answer, rival)) or speed.get((load, "trivial", rival))
        ours = speed.get((load, answer, "helix"))
        if ours and theirs:
            yield Aim(name=f"{load}, {answer}: times {rival}", measured=round(ours / theirs, 2),
                      limit=limit, at_least=True, unit="x")  # fmt: skip


def of_latency(found: Sequence[Latency]) -> Iterator[Aim]:
    """Beside SAQ at the lowest rate, and the whole way at 200/s."""
    by_name = {(one.contestant, one.asked_per_s): one for one in found}
    ours, saq = by_name.get(("helix", 50)), by_name.get(("SAQ", 50))
    if ours and saq:
        yield Aim(name="50/s, enqueue to commit, p50 beside SAQ's", measured=ours.p50,
                  limit=saq.p50, at_least=False, unit="ms")  # fmt: skip
        yield Aim(name="50/s, enqueue to commit, p99 beside SAQ's", measured=ours.p99,
                  limit=saq.p99, at_least=False, unit="ms")  # fmt: skip
    whole = by_name.get(("helix, webhook to gateway", 200))
    if whole:
        yield Aim(name="200/s, webhook to gateway, p50", measured=whole.p50, limit=15,
                  at_least=False, unit="ms")  # fmt: skip
        yield Aim(name="200/s, webhook to gateway, p99", measured=whole.p99, limit=50,
                  at_least=False, unit="ms")  # fmt: skip


def of_webhook(found: Sequence[Requests]) -> Iterator[Aim]:
    """The best of the numbers of connections."""
    best = max(found, key=lambda one: one.per_second)
    yield Aim(name="webhook, one process", measured=best.per_second, limit=2000, at_least=True,
              unit="requests/s")  # fmt: skip


def of_scaling(found: Found) -> Iterator[Aim]:
    """Of one worker, and of a web and a worker that have nothing to do."""
    few = min(speed.empresas for speed in found.speeds)
    yield Aim(name=f"throughput, {found.known:,} empresas by {few}", measured=found.many_to_few,
              limit=0.7, at_least=True, unit="x")  # fmt: skip
    if found.idle_worker is not None and found.idle_web is not None:
        yield Aim(name=f"idle, {found.known:,} empresas, web and worker",
                  measured=round(100 * (found.idle_worker + found.idle_web), 2), limit=1,
                  at_least=False, unit="% of a core")  # fmt: skip
    if found.memory_mb is not None:
        yield Aim(name=f"memory, {found.known:,} empresas known, {found.active} active",
                  measured=found.memory_mb, limit=150, at_least=False, unit="MiB")  # fmt: skip


def of_fleet(found: Fleet) -> Iterator[Aim]:
    """Set for 1,000 dealers; with fewer they scale with their number."""
    yield Aim(name=f"{found.dealers:,} empresas opened, four at a time",
              measured=found.provision_s, limit=30 * found.dealers / 1000, at_least=False,
              unit="s")  # fmt: skip


def of_turns(paces: Sequence[Pace]) -> Iterator[Aim]:
    """Lucas alone."""
    for pace in paces:
        if pace.cars in LIMITS_MS:
            yield Aim(name=f"a turn of Lucas, {pace.cars:,} cars",
                      measured=round(pace.mean_ms, 2), limit=LIMITS_MS[pace.cars],
                      at_least=False, unit="ms of CPU")  # fmt: skip

"""How much is measured. Read from the environment by `bench.__main__`; tests give their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the messages of one contest lie: all of them are there before a worker starts."""

    name: str
    empresas: int
    conversations: int
    """Per empresa."""
    messages: int
    """Per conversation."""
    burst: int = 1
    """So many messages of a buyer come in a row, then those of others."""

    @property
    def total(self) -> int:
        """Messages in all."""
        return self.empresas * self.conversations * self.messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All contests."""

    spread: Shape
    """As many conversations as messages: no answer can serve for two messages."""
    bursts: Shape
    """Few conversations with many messages each: a backlog, answered turn by turn."""
    hot: Shape
    """One buyer of one empresa: nothing can be done side by side."""
    delivered: Shape
    """For answers that a gateway on this machine takes, too."""
    rounds: int = 1
    """Each contest this many times; the median counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """How long and how quick."""

    empresas: int = 20
    seconds: float = 10.0
    rates: tuple[int, ...] = (50, 100, 200)
    """Messages per second; half of what the contestant can do at most comes after them."""
    probe: Shape
    """The load that tells what it can do at most."""

    def shape(self, rate: int) -> Shape:
        """As many buyers as come in that time, and one more of each empresa: the first ones open
        its connections and are not counted."""
        each = max(2, int(rate * self.seconds) // self.empresas) + 1
        return Shape(name="steady", empresas=self.empresas, conversations=each, messages=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How far."""

    few: Shape
    """The load for one, two and more workers."""
    many: int
    """The same messages over so many empresas."""
    active: int
    """So many of them are busy when the memory is read."""
    workers: tuple[int, ...] = (1, 2, 4)
    idle_s: float = 20.0
    settle_s: float = 40.0
    """A worker that has just started looks at all dealers once: that is not idle."""


FULL = Plan(
    spread=Shape(name="spread", empresas=20, conversations=1000, messages=1),
    bursts=Shape(name="bursts", empresas=20, conversations=50, messages=20, burst=5),
    hot=Shape(name="hot", empresas=1, conversations=1, messages=2000),
    delivered=Shape(name="spread, fewer", empresas=20, conversations=100, messages=1),
)
_STEADY = Steady(probe=Shape(name="probe", empresas=20, conversations=200, messages=1))
_SCALE = Scale(few=FULL.spread, many=1000, active=100)
QUICK = Plan(
    spread=Shape(name="spread", empresas=4, conversations=200, messages=1),
    bursts=Shape(name="bursts", empresas=4, conversations=20, messages=10, burst=5),
    hot=Shape(name="hot", empresas=1, conversations=1, messages=100),
    delivered=Shape(name="spread, fewer", empresas=4, conversations=50, messages=1),
)
_QUICK_STEADY = Steady(
    empresas=4, seconds=2, probe=Shape(name="probe", empresas=4, conversations=50, messages=1)
)
_QUICK_SCALE = Scale(
    few=Shape(name="spread", empresas=20, conversations=50, messages=1),
    many=100,
    active=10,
    idle_s=3,
    settle_s=3,
)


def plan_of(environment: Mapping[str, str]) -> Plan:
    """BENCH_QUICK=1 for small sizes; BENCH_ROUNDS for more than one round of everything."""
    plan = QUICK if is_quick(environment) else FULL
    return replace(plan, rounds=max(1, int(environment.get("BENCH_ROUNDS", "1"))))


def steady_of(environment: Mapping[str, str]) -> Steady:
    """For the latency."""
    return _QUICK_STEADY if is_quick(environment) else _STEADY


def scale_of(environment: Mapping[str, str]) -> Scale:
    """For the scaling."""
    return _QUICK_SCALE if is_quick(environment) else _SCALE


def is_quick(environment: Mapping[str, str]) -> bool:
    """Whether small sizes are asked for."""
    return environment.get("BENCH_QUICK", "0") not in ("", "0")

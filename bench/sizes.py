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
    rounds: int = 1
    """Each contest this many times; the median counts."""


FULL = Plan(
    spread=Shape(name="spread", empresas=20, conversations=1000, messages=1),
    bursts=Shape(name="bursts", empresas=20, conversations=50, messages=20, burst=5),
    hot=Shape(name="hot", empresas=1, conversations=1, messages=2000),
)
QUICK = Plan(
    spread=Shape(name="spread", empresas=4, conversations=400, messages=1),
    bursts=Shape(name="bursts", empresas=4, conversations=20, messages=20, burst=5),
    hot=Shape(name="hot", empresas=1, conversations=1, messages=200),
)


def plan_of(environment: Mapping[str, str]) -> Plan:
    """BENCH_QUICK=1 for small sizes; BENCH_ROUNDS for more than one round of everything."""
    plan = QUICK if is_quick(environment) else FULL
    return replace(plan, rounds=max(1, int(environment.get("BENCH_ROUNDS", "1"))))


def is_quick(environment: Mapping[str, str]) -> bool:
    """Whether small sizes are asked for."""
    return environment.get("BENCH_QUICK", "0") not in ("", "0")

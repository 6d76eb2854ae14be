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

    @property
    def total(self) -> int:
        """Messages in all."""
        return self.empresas * self.conversations * self.messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole run."""

    talks: Shape
    """Few conversations with many messages each: a backlog, answered turn by turn."""
    singles: Shape
    """As many conversations as messages: no answer can serve for two messages."""
    rounds: int = 1
    """Each contest this many times; the median counts."""


FULL = Plan(
    talks=Shape(name="talks", empresas=20, conversations=50, messages=20),
    singles=Shape(name="singles", empresas=20, conversations=1000, messages=1),
)
QUICK = Plan(
    talks=Shape(name="talks", empresas=4, conversations=20, messages=10),
    singles=Shape(name="singles", empresas=4, conversations=200, messages=1),
)


def plan_of(environment: Mapping[str, str]) -> Plan:
    """BENCH_QUICK=1 for small sizes; BENCH_ROUNDS for more than one round of everything."""
    plan = QUICK if is_quick(environment) else FULL
    return replace(plan, rounds=max(1, int(environment.get("BENCH_ROUNDS", "1"))))


def is_quick(environment: Mapping[str, str]) -> bool:
    """Whether small sizes are asked for."""
    return environment.get("BENCH_QUICK", "0") not in ("", "0")

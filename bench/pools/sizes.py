"""How much of the pools is measured. Read from the environment by `bench.__main__`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.sizes import is_quick


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """The whole part."""

    dealers: int
    """With a database each; all of them are connected to at the same time."""
    known: int
    """Rows of the registry without a database behind them."""
    cycles: int
    """Loans per run; a fresh connection costs a hundred times as much, and gets fewer."""
    asks: int
    """Queries per run."""
    runs: int
    """The median counts."""
    cold: int
    """Dealers whose first query is measured."""
    contention_s: float


FULL = PoolPlan(
    dealers=1000, known=10_000, cycles=20_000, asks=3000, runs=7, cold=200, contention_s=2
)
QUICK = PoolPlan(dealers=60, known=1000, cycles=4000, asks=400, runs=3, cold=20, contention_s=0.4)


def pool_plan_of(environment: Mapping[str, str]) -> PoolPlan:
    """BENCH_QUICK=1 for small sizes."""
    return QUICK if is_quick(environment) else FULL

"""The pace of Lucas's turns: what is measured is a whole talk, and it is quick with any stock."""

from __future__ import annotations

import pytest

from bench.aims import of_turns
from bench.turns import SIZES, Pace, measure, report


@pytest.mark.parametrize(("cars", "limit_ms"), [(50, 3.0), (2000, 8.0)])
def test_a_turn_stays_far_from_what_a_worker_would_feel(cars: int, limit_ms: float) -> None:
    """CPU time alone; the limits are loose, for machines that others use as well."""
    pace = measure(cars, rounds=3)

    assert pace.mean_ms < limit_ms
    assert pace.slowest_ms >= pace.mean_ms


def test_the_report_has_a_line_for_each_size() -> None:
    """As a table for the benchmark page."""
    paces = [measure(cars, rounds=1) for cars in SIZES[:1]]

    assert "| 50 | " in report(paces)
    assert len(report(paces).splitlines()) == 2 + len(paces)


def test_a_turn_that_takes_too_long_is_a_missed_aim() -> None:
    """Those sizes that have a limit, beside it."""
    quick = Pace(cars=50, turns_per_s=2000, mean_ms=0.5, slowest_ms=0.9, build_ms=4)
    slow = Pace(cars=2000, turns_per_s=110, mean_ms=9.0, slowest_ms=12.0, build_ms=9)
    free = Pace(cars=500, turns_per_s=110, mean_ms=9.0, slowest_ms=12.0, build_ms=9)

    assert [aim.met for aim in of_turns([quick, free, slow])] == [True, False]

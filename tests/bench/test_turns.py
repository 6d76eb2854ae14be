"""The pace of Lucas's turns: what is measured is a whole talk, and it is quick with any stock."""

from __future__ import annotations

import pytest

from bench.turns import SIZES, measure, report


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

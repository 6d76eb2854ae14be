"""The pace of Lucas's turns: what is measured is a whole talk, and it is quick with any stock."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from bench import __main__ as bench
from bench import turns
from bench.turns import LIMITS_MS, SIZES, Pace, measure, report, write


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


def test_programs_read_the_same_figures(tmp_path: Path) -> None:
    """A results file with each size, its limit and whether it was met."""
    quick = Pace(cars=50, turns_per_s=2000, mean_ms=0.5, slowest_ms=0.9, build_ms=4)
    slow = Pace(cars=500, turns_per_s=200, mean_ms=5.0, slowest_ms=9.0, build_ms=9)

    read = orjson.loads(write([quick, slow], tmp_path / "results" / "turns.json").read_bytes())

    assert [(one["cars"], one["turns_per_s"], one["met"]) for one in read["turns"]] == [
        (50, 2000, True),
        (500, 200, False),
    ]
    assert read["turns"][0]["limit_ms"] == LIMITS_MS[50]


def test_the_turns_are_a_part_of_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`BENCH_ONLY=turns` measures all sizes, needs no servers, and leaves a file."""
    monkeypatch.setenv("BENCH_ONLY", "turns")
    monkeypatch.setattr(turns, "rounds_of", lambda _environ: 1)
    monkeypatch.setattr(turns, "write", lambda paces: write(paces, tmp_path / "r" / "turns.json"))

    assert bench.main() == 0

    assert "| 2,000 | " in capsys.readouterr().out
    assert len(orjson.loads((tmp_path / "r" / "turns.json").read_bytes())["turns"]) == len(SIZES)

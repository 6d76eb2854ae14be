"""The short form of `make fuzz-gateways`, and that it would notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dev.fuzz_gateways.__main__ import FIXTURES
from dev.fuzz_gateways.run import Report, fuzz, recorded
from gateway.adapters import ADAPTERS
from gateway.waha.adapter import Waha
from schema.events import Event

BODIES = recorded(FIXTURES, ADAPTERS)


def run(count: int, seed: int, **adapters: Waha) -> Report:
    """A run without a word on the way."""
    every = {**ADAPTERS, **adapters}
    return fuzz(every, BODIES, count=count, seed=seed, progress=lambda _: None)


def test_no_damage_makes_a_parser_raise() -> None:
    """A few thousand bodies of a seed that is always the same; all gateways have their share."""
    report = run(6_000, seed=1)
    assert report.notes == []
    assert (report.bodies, report.exceptions) == (6_000, 0)
    assert set(report.us_per_body) == set(ADAPTERS)
    assert 0 < report.not_json < 2_000


@pytest.mark.parametrize("fault", ["raises", "empty", "unqueueable"])
def test_a_parser_that_is_not_total_is_found(fault: str) -> None:
    """An exception, no event, or one that would not come back from the queue."""

    class Broken(Waha):
        def parse(self, body: object) -> list[Event]:
            if fault == "raises":
                raise KeyError("payload")
            if fault == "empty":
                return []
            events = super().parse(body)
            return [event.model_copy(update={"channel": "x" * 300}) for event in events]

    report = run(300, seed=1, waha=Broken())
    assert report.exceptions >= 60
    assert 0 < len(report.notes) <= 10
    assert all("of waha" in note for note in report.notes)


def test_a_seed_gives_the_same_bodies_again() -> None:
    """What a run found can be looked at."""
    first, again, other = run(300, seed=7), run(300, seed=7), run(300, seed=8)
    assert first.not_json == again.not_json
    assert first.parsed == again.parsed
    assert (first.not_json, first.parsed) != (other.not_json, other.parsed)


def test_the_command_prints_its_seed_and_ends_with_one_json_object() -> None:
    """The last line is for machines."""
    env = {**os.environ, "FUZZ_BODIES": "300", "FUZZ_SEED": "5"}
    done = subprocess.run(
        [sys.executable, "-m", "dev.fuzz_gateways"],
        env=env, cwd=FIXTURES.parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[0].startswith("seed 5: ")
    last = json.loads(lines[-1])
    assert (last["bodies"], last["exceptions"]) == (300, 0)
    assert set(last["us_per_body"]) == set(ADAPTERS)

"""Parses damaged bodies of every gateway and keeps count. Called by the command and by a test."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from dev.fuzz_gateways.mutate import Json, damaged
from gateway.adapters import Adapter
from gateway.errors import NotJson
from gateway.json import loads
from schema.events import Event

_MOST_NOTES = 10
_EACH = 10_000
"""Bodies between two lines of progress."""


@dataclass(slots=True)
class Report:
    """Counts of a run. `exceptions` must be 0."""

    bodies: int = 0
    not_json: int = 0
    """Bodies whose bytes were damaged so that no parser saw them."""
    exceptions: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """Spent in reading and parsing, by gateway."""
    parsed: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """The first few failures in words."""

    @property
    def us_per_body(self) -> dict[str, float]:
        """Microseconds to read and parse one body, by gateway."""
        spent = {kind: self.seconds[kind] / count for kind, count in self.parsed.items()}
        return {kind: round(each * 1e6, 1) for kind, each in spent.items()}

    def as_json(self) -> str:
        """One line."""
        return json.dumps(
            {
                "bodies": self.bodies,
                "exceptions": self.exceptions,
                "not_json": self.not_json,
                "us_per_body": self.us_per_body,
            }
        )


def recorded(folder: Path, kinds: Iterable[str]) -> dict[str, list[Json]]:
    """The bodies that are damaged, by gateway: one JSON file each in the folder of its name."""
    return {
        kind: [
            json.loads(path.read_text())
            for path in sorted((folder / kind).glob("*.json"))
            if path.stem != "expected"
        ]
        for kind in kinds
    }


def fuzz(
    adapters: Mapping[str, Adapter],
    bodies: Mapping[str, list[Json]],
    *,
    count: int,
    seed: int,
    progress: Callable[[Report], None],
) -> Report:
    """`count` bodies, the gateways in turn. Body n of a seed is the same however many there are."""
    report = Report()
    kinds = sorted(adapters)
    everything = [body for each in bodies.values() for body in each]
    for number in range(count):
        random = Random(f"{seed}:{number}")
        kind = kinds[number % len(kinds)]
        raw = damaged(random, random.choice(bodies[kind]), everything)
        _try(adapters[kind], raw, report, number)
        if report.bodies % _EACH == 0:
            progress(report)
    return report


def _try(adapter: Adapter, raw: bytes, report: Report, number: int) -> None:
    """One body through the way of the webhook: bytes, JSON, events that can be queued."""
    report.bodies += 1
    started = time.perf_counter()
    try:
        events = adapter.parse(loads(raw))
        spent = time.perf_counter() - started
        _check(events)
    except NotJson:
        report.not_json += 1
        return
    except Exception:  # noqa: BLE001 whatever it is, it is what we look for
        report.exceptions += 1
        if len(report.notes) < _MOST_NOTES:
            note = (
                f"body {number} of {adapter.kind}: {raw[:500]!r}\n{traceback.format_exc(limit=-4)}"
            )
            report.notes.append(note)
        return
    report.parsed[adapter.kind] = report.parsed.get(adapter.kind, 0) + 1
    report.seconds[adapter.kind] = report.seconds.get(adapter.kind, 0.0) + spent


def _check(events: list[Event]) -> None:
    """At least one event, each as it comes back from the queue."""
    if not events:
        raise AssertionError("no event at all")
    for event in events:
        if Event.model_validate_json(event.model_dump_json(exclude_defaults=True)) != event:
            raise AssertionError(f"does not survive the queue: {event.kind}")

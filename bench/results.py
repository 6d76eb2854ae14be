"""Writes the figures of a part to bench/results/latest.json. Called by `bench.parts`.

The other parts stay as they were measured last, each with its own machine and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench.aims import Aim
from bench.machine import Machine

LATEST = Path(__file__).parent / "results" / "latest.json"


def write(
    part: str,
    figures: object,
    *,
    aims: Sequence[Aim] = (),
    machine: Machine | None = None,
    quick: bool,
    path: Path = LATEST,
) -> Path:
    """`figures`: values of dataclasses, in lists and dicts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = orjson.loads(path.read_bytes()) if path.exists() else {}
    parts[part] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": None if machine is None else asdict(machine),
        "figures": figures,
        "aims": [{**asdict(aim), "met": aim.met} for aim in aims],
    }
    path.write_bytes(orjson.dumps(parts, option=orjson.OPT_INDENT_2))
    return path

"""Makes tables and JSON of the pool part. Called by `bench.pools.run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.machine import Machine
from bench.pools.gates import Gate
from bench.pools.measure import Figure
from bench.pools.memory import Memory
from bench.pools.sizes import PoolPlan
from bench.pools.ways import WAYS

LATEST = Path(__file__).parents[1] / "results" / "pools.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All of one run."""

    plan: PoolPlan
    figures: Sequence[Figure]
    memory: Sequence[Memory]
    gates: Sequence[Gate]

    def rows(self) -> dict[tuple[str, str], dict[str, float]]:
        """(name, unit) of each figure, and what each way came to."""
        found: dict[tuple[str, str], dict[str, float]] = {}
        for figure in self.figures:
            found.setdefault((figure.name, figure.unit), {})[figure.way] = figure.value
        for one in self.memory:
            head = f"{one.count:,} dealers {one.what}"
            for name, unit, value in (
                (f"{head}, memory of the process", "MB", one.rss_mb),
                (f"{head}, Python's part", "MB", one.traced_mb),
                (f"{head}, time", "s", one.seconds),
            ):
                found.setdefault((name, unit), {})[one.way] = value
        return found


def show(console: Console, found: Found) -> None:
    """Both tables."""
    table = Table(title="Pools: one process, the same server for all")
    table.add_column("figure")
    table.add_column("unit")
    for way in WAYS:
        table.add_column(way, justify="right")
    for (name, unit), values in found.rows().items():
        cells = (f"{values[way]:,.4g}" if way in values else "" for way in WAYS)
        table.add_row(name, unit, *cells)
    console.print(table)
    table = Table(title="Aims of the pools, on two processors that nobody else uses")
    for column in ("aim", "at most", "measured", ""):
        table.add_column(column)
    for gate in found.gates:
        scaled = "" if gate.scaled_from is None else f" (from {gate.scaled_from:,})"
        table.add_row(
            gate.name,
            f"{gate.limit:g} {gate.unit}",
            f"{gate.measured:g} {gate.unit}{scaled}",
            f"[{'green' if gate.met else 'red'}]{gate.verdict}[/]",
        )
    console.print(table)


def write(found: Found, machine: Machine, path: Path = LATEST) -> Path:
    """The same as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": asdict(machine),
        "sizes": asdict(found.plan),
        "figures": [asdict(figure) for figure in found.figures],
        "memory": [asdict(one) for one in found.memory],
        "gates": [{**asdict(gate), "met": gate.met} for gate in found.gates],
    }
    path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return path

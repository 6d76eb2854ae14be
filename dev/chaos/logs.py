"""Writes what a person needs who looks for the reason of a count. Called by `run`.

Buyers here are made up; the processes' own logs name them no more than elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from dev.chaos.fleet import Fleet
from dev.chaos.recovery import Recovery
from dev.chaos.strike import Struck


def write_logs(
    folder: Path, fleet: Fleet, struck: Iterable[Struck], recovered: Iterable[Recovery]
) -> None:
    """A file for each process, one with the faults and one with the recoveries, slowest first;
    those of an earlier run go."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.log"):
        old.unlink()
    for number, process in enumerate(fleet.stack.processes):
        path = folder / f"{number:03}-{process.name}-{process.pid}.log"
        path.write_text("".join(f"{line}\n" for line in process.lines))
    (folder / "faults.log").write_text(
        "".join(
            f"{_clock(fault.since)} to {_clock(fault.until)} {fault.kind.whom} {fault.kind.how},"
            f" {_named(fault.empresas)}\n"
            for fault in sorted(struck, key=lambda fault: fault.since)
        )
    )
    (folder / "recoveries.log").write_text(
        "".join(
            f"{one.seconds:7.2f} s  empresa {one.empresa_id}, {_clock(one.since)} to"
            f" {_clock(one.until)}\n"
            for one in sorted(recovered, key=lambda one: -one.seconds)
        )
    )


def _clock(at: float) -> str:
    """As the processes' logs have it."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"[:-3]


def _named(empresas: frozenset[int]) -> str:
    return f"empresas {', '.join(map(str, sorted(empresas)))}"

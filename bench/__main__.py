"""`make bench`: the product beside its rivals, in the same run on the same servers.

BENCH_QUICK=1: small sizes, three minutes. BENCH_ROUNDS=3: three rounds of the messages, the median
counts. BENCH_ONLY=messages,latency: these parts alone. Ends with code 1 when a contestant loses,
doubles or (ours) reorders a message; an aim that is missed is shown, and is no error.
"""

from __future__ import annotations

import os
import sys

import uvloop
from rich.console import Console

from bench.aims import Aim
from bench.checks import WrongResult
from bench.parts import PARTS, Run
from bench.pools.memory import ChildFailed
from bench.results import LATEST
from bench.tables import show_aims
from dev.servers import ServersError, running


def main() -> int:
    """The exit code."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    only = (os.environ.get("BENCH_ONLY") or ",".join(PARTS)).replace(" ", "").split(",")
    if unknown := [name for name in only if name not in PARTS]:
        console.print(f"BENCH_ONLY={','.join(unknown)} is none of {', '.join(PARTS)}")
        return 2
    aims: list[Aim] = []
    try:
        with running() as servers:
            run = Run(servers=servers, environment=os.environ, console=console)
            for name in only:
                console.rule(name)
                aims += uvloop.run(_part(name, run))
    except (WrongResult, ChildFailed, ServersError) as error:
        console.print(f"[red]{error}[/red]", *getattr(error, "__notes__", ()), sep="\n")
        return 1
    if aims:
        show_aims(console, aims, quick=run.quick)
    console.print(f"[dim]also in {LATEST.relative_to(LATEST.parents[2])}[/dim]")
    return 0


async def _part(name: str, run: Run) -> list[Aim]:
    return await PARTS[name](run)


if __name__ == "__main__":
    sys.exit(main())

"""`make chaos`: CHAOS_SECONDS (600) and CHAOS_SEED (a new one) say how long and which faults.

Prints the seed, progress, and as last line one JSON object; ends with code 1 when anything in it
is not as it must be. See docs/chaos.md.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys

import structlog
import uvloop
from rich.console import Console

from dev.chaos.report import Report
from dev.chaos.run import chaos
from dev.chaos.screen import screen
from dev.chaos.sizes import FULL
from dev.servers import ServersError, extra_mariadb, extra_redis
from dev.servers.programs import ROOT

LOGS = ROOT / ".local" / "chaos"


def run(seed: int, seconds: float, console: Console) -> Report:
    """A whole run. Raises ServersError."""
    with extra_mariadb() as mariadb, extra_redis() as redis, screen(console, seconds) as show:
        return uvloop.run(
            chaos(FULL, mariadb, redis, seed=seed, seconds=seconds, logs=LOGS, show=show)
        )


def main() -> int:
    """The exit code."""
    # Stand-ins and pools note each fault; what matters is in the report.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console = Console(width=None if sys.stdout.isatty() else 120)
    seconds = float(os.environ.get("CHAOS_SECONDS") or "600")
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(2**31))
    console.print(f"seed {seed}: make chaos CHAOS_SEED={seed} CHAOS_SECONDS={seconds:g}")
    try:
        report = run(seed, seconds, console)
    except ServersError as error:
        print(error, file=sys.stderr)
        return 1
    wrong = report.wrong()
    for line in wrong:
        console.print(f"[red]{line}[/red]")
    if wrong:
        console.print(f"the processes' logs are in {LOGS.relative_to(ROOT)}")
    print(report.as_json(), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

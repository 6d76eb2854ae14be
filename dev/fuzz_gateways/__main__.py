"""`make fuzz-gateways`: FUZZ_BODIES (100000) and FUZZ_SEED (a new one) say how many and which.

Prints the seed, progress, and as last line one JSON object; ends with code 1 when a parser raised
or gave something that cannot be queued.
"""

from __future__ import annotations

import os
import secrets
import sys

from dev.fuzz_gateways.run import Report, fuzz, recorded
from dev.servers.programs import ROOT
from gateway.adapters import ADAPTERS

FIXTURES = ROOT / "tests" / "gateway" / "fixtures"


def main() -> int:
    """The exit code."""
    count = int(os.environ.get("FUZZ_BODIES") or 100_000)
    seed = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(2**31))
    print(f"seed {seed}: FUZZ_SEED={seed} FUZZ_BODIES={count} make fuzz-gateways", flush=True)

    def progress(report: Report) -> None:
        print(f"{report.bodies:9d}  {report.as_json()}", flush=True)

    bodies = recorded(FIXTURES, ADAPTERS)
    report = fuzz(ADAPTERS, bodies, count=count, seed=seed, progress=progress)
    for note in report.notes:
        print(note)
    print(report.as_json(), flush=True)
    return 1 if report.exceptions else 0


if __name__ == "__main__":
    sys.exit(main())

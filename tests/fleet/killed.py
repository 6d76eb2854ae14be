"""A program that migrates all dealers, one by one, and ends by SIGKILL after the n-th."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from tenancy.fleet.queue import Crowd
from tenancy.fleet.run import FleetRun, Onlooker
from tenancy.fleet.values import Outcome
from tenancy.settings import TenancySettings


class Killer(Onlooker):
    """Counts dealers."""

    def __init__(self, lives: int) -> None:
        self._lives = lives

    def done(self, outcome: Outcome) -> None:
        """The ledger may not have been told of this one yet."""
        del outcome
        self._lives -= 1
        if not self._lives:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    fleet = FleetRun(
        TenancySettings(), onlooker=Killer(int(sys.argv[1])), crowd=Crowd(per_host=1, in_all=1)
    )
    asyncio.run(fleet.start())

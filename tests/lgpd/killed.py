"""A program that erases, and ends by SIGKILL right after one of its steps.

Each line on its input, `step empresa phone`, is one such death, in a process forked for it; the
line that it answers with is the exit code.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog
from redis.asyncio import Redis

from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.lgpd.erase import Eraser, Order
from worker.media.settings import MediaSettings
from worker.media.store import open_store
from worker.queue.lease import LeaseDesk
from worker.settings import WorkerSettings


async def erase(step: str, empresa_id: int, phone: str) -> None:
    """Until that step is done."""

    def reached(done: str) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    async with (
        Redis.from_pool(WorkerSettings().redis()) as redis,
        open_tenancy(TenancySettings()) as tenancy,
    ):
        desk = LeaseDesk(redis, life_s=0.4)
        eraser = Eraser(tenancy, redis, open_store(MediaSettings()), desk, reached=reached)
        await eraser.erase(Order(empresa_id=empresa_id, phone=phone, who="teste"))


def main() -> None:
    """Until the input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    for line in sys.stdin:
        step, empresa_id, phone = line.split()
        child = os.fork()
        if child == 0:
            asyncio.run(erase(step, int(empresa_id), phone))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

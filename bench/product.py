"""One worker process of the product with a chosen answer: `python -m bench.product trivial`.

The same parts as `helix worker`, put together by the same functions, but for one: replies stay
`pendente`. Sending them is the gateway's time, not ours.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import uvloop

from bench.answers import ANSWERS
from bench.child import work_from_go
from worker.deliver.job import Deliverer
from worker.drain.turns import Decide
from worker.log import configure_logging
from worker.process import ProcessSettings, connect, make_worker, open_jobs
from worker.queue.bell import Bell
from worker.queue.job import ArqJob
from worker.queue.keys import Task
from worker.sweep import sweep_for_ever


class _SendsNothing(Deliverer):
    """Takes each ring for a delivery and leaves the replies where they are."""

    def __init__(self) -> None:
        pass

    async def deliver(self, empresa_id: int, job: ArqJob) -> None:
        """Does nothing."""


async def main(decide: Decide) -> None:
    """As `worker.process.run_worker`, from the moment that the parent says so."""
    settings = ProcessSettings.read()
    redis = await connect(settings.worker)
    try:
        async with open_jobs(settings, redis, decide_turn=decide) as jobs:
            jobs = replace(jobs, deliverer=_SendsNothing())
            delivers = make_worker(settings.worker, redis, jobs, Task.DELIVER)
            # The last one made hears the signals.
            drains = make_worker(settings.worker, redis, jobs, Task.DRAIN)
            delivering = asyncio.create_task(delivers.async_run())
            sweep = asyncio.create_task(
                sweep_for_ever(redis, Bell(redis), jobs.active, every_s=settings.worker.sweep_s)
            )
            try:
                await work_from_go(drains)
            finally:
                delivering.cancel()
                sweep.cancel()
    finally:
        await redis.aclose()


if __name__ == "__main__":
    configure_logging()
    uvloop.run(main(ANSWERS[sys.argv[1]]))

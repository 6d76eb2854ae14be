"""One worker process of the product with a chosen answer: `python -m bench.product trivial keeps`.

The same parts as `helix worker`, put together by the same functions. With `keeps` replies stay
`pendente`, as those of the rivals do; with `sends` they go to the gateway.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import uvloop

from bench import commits
from bench.answers import ANSWERS
from bench.child import work_from_go
from schema.events import Event
from worker.arq_queues import connect, make_worker
from worker.deliver.job import Deliverer
from worker.drain.arrival import Arrival
from worker.drain.transaction import Done, DrainTransaction
from worker.drain.turns import Decide
from worker.jobs import ProcessSettings, open_jobs
from worker.log import configure_logging
from worker.queue.bell import Bell
from worker.queue.job import ArqJob
from worker.queue.keys import Task
from worker.queue.lease import Lease
from worker.sweep import sweep_for_ever


class _NotesCommits(DrainTransaction):
    """Tells the benchmark when messages and their answers were committed."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._unanswered: dict[int, list[Event]] = {}

    async def run(self, lease: Lease, arrivals: Sequence[Arrival], **told: Any) -> Done:
        """As the product does it; what is stored but not yet answered waits to be noted."""
        waiting = self._unanswered.setdefault(lease.empresa_id, [])
        waiting.extend(arrival.event for arrival in arrivals)
        done = await super().run(lease, arrivals, **told)
        if done.next_due is None:
            commits.note(waiting)
            waiting.clear()
        return done


class _SendsNothing(Deliverer):
    """Takes each ring for a delivery and leaves the replies where they are."""

    def __init__(self) -> None:
        pass

    async def deliver(self, empresa_id: int, job: ArqJob) -> None:
        """Does nothing."""


async def main(decide: Decide, *, sends: bool) -> None:
    """As `worker.process.run_worker`, from the moment that the parent says so."""
    settings = ProcessSettings.read()
    async with AsyncExitStack() as stack:
        redis = await connect(settings.worker)
        stack.push_async_callback(redis.aclose)
        # The process has no hook for it, and needs none but for this.
        with patch("worker.jobs.DrainTransaction", _NotesCommits):
            jobs = await stack.enter_async_context(open_jobs(settings, redis, decide_turn=decide))
        if not sends:
            jobs = replace(jobs, deliverer=_SendsNothing())
        delivers = make_worker(settings.worker, redis, jobs, Task.DELIVER)
        drains = make_worker(settings.worker, redis, jobs, Task.DRAIN)
        sweep = sweep_for_ever(redis, Bell(redis), jobs.active, every_s=settings.worker.sweep_s)
        chores = [asyncio.create_task(delivers.async_run()), asyncio.create_task(sweep)]
        try:
            await work_from_go(drains)
        finally:
            for chore in chores:
                chore.cancel()


if __name__ == "__main__":
    configure_logging()
    uvloop.run(main(ANSWERS[sys.argv[1]], sends=sys.argv[2] == "sends"))

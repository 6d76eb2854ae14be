"""A rival that waits at Redis in place of polling it: one SAQ job per message over aiomysql pools.

`python -m bench.plain_saq trivial cached 50`: as `bench.plain_arq`. Jobs leave no results.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import uvloop
from saq import Worker

from bench.answers import ANSWERS
from bench.child import get_go, get_stop, tell_cpu
from bench.plain_shop import Shop, open_shop
from bench.queues import SAQ_JOB, saq_queue
from worker.drain.turns import Decide
from worker.settings import WorkerSettings


async def handle_message(ctx: dict[str, Any], *, empresa_id: int, body: str) -> None:
    """The SAQ job; what fails is tried again as the job says."""
    shop: Shop = ctx["shop"]
    await shop.handle(empresa_id, body)


async def main(decide: Decide, *, cached: bool, max_jobs: int) -> None:
    """A worker process, from the moment that the parent says so."""
    queue = saq_queue(WorkerSettings().redis_url.get_secret_value())
    async with open_shop(decide, cached=cached) as shop:
        worker: Worker[Any] = Worker(
            queue, functions=[(SAQ_JOB, handle_message)], concurrency=max_jobs
        )
        worker.context["shop"] = shop
        await queue.connect()
        await get_go()
        started = time.process_time()
        working = asyncio.create_task(worker.start())
        await get_stop()
        tell_cpu(started)
        worker.event.set()
        await working
    await queue.disconnect()


if __name__ == "__main__":
    answer, stock_is, jobs = sys.argv[1:4]
    uvloop.run(main(ANSWERS[answer], cached=stock_is == "cached", max_jobs=int(jobs)))

"""The baseline: one arq job per message over aiomysql pools.

`python -m bench.plain_arq trivial cached 50 0.001`: the answer, `cached` (the stock is read every
5 s, as the product does) or `fresh` (with every message), jobs at the same time, seconds between
two looks at the queue. JSON jobs, no results.
"""

from __future__ import annotations

import sys
from typing import Any

import orjson
import uvloop
from arq import Retry, func
from arq.worker import Worker

from bench.answers import ANSWERS
from bench.child import work_from_go
from bench.plain_shop import OnceMore, Shop, open_shop
from bench.queues import ARQ_JOB
from worker.arq_queues import connect
from worker.drain.turns import Decide
from worker.settings import WorkerSettings


async def handle_message(ctx: dict[str, Any], empresa_id: int, body: str) -> None:
    """The arq job."""
    shop: Shop = ctx["shop"]
    try:
        await shop.handle(empresa_id, body)
    except OnceMore as error:
        raise Retry(defer=0.01 * ctx["job_try"]) from error


async def main(decide: Decide, *, cached: bool, max_jobs: int, poll_s: float) -> None:
    """A worker process, from the moment that the parent says so."""
    redis = await connect(WorkerSettings())
    async with open_shop(decide, cached=cached) as shop:
        worker = Worker(
            functions=[func(handle_message, name=ARQ_JOB, keep_result=0, max_tries=100)],
            redis_pool=redis,
            max_jobs=max_jobs,
            poll_delay=poll_s,
            job_serializer=orjson.dumps,
            job_deserializer=orjson.loads,
            ctx={"shop": shop},
            log_results=False,
        )
        await work_from_go(worker)
    await redis.aclose()


if __name__ == "__main__":
    answer, stock_is, jobs, poll = sys.argv[1:5]
    uvloop.run(
        main(ANSWERS[answer], cached=stock_is == "cached", max_jobs=int(jobs), poll_s=float(poll))
    )

"""Works off inboxes when Redis is full. Called by `worker.sweep`, in every worker.

arq writes before it runs a job, which a full Redis refuses: nothing would ever be worked off, and
nothing ever freed. What drains and delivers need is written by scripts that a full Redis allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from redis.exceptions import RedisError

from worker.queue.bell import Bell
from worker.queue.job import ArqJob
from worker.queue.keys import Task

log = structlog.get_logger()

_AT_ONCE = 8
_NO_JOB = ArqJob(id="relief", due_ms=0)

Do = Callable[[int, ArqJob], Awaitable[None]]
Work = Mapping[Task, Do]
"""How each task is done for one empresa; a lease keeps workers apart, as in arq's jobs."""


async def relieve(bell: Bell, work: Work) -> int:
    """Does what is overdue, without arq; returns how many empresas were looked at. Never raises:
    what fails is overdue still, and comes again.
    """
    log.warning("redis is full: inboxes are worked off without arq")
    places = asyncio.Semaphore(_AT_ONCE)
    looked = 0
    for task, do in work.items():
        for outcome in await _all_overdue(bell, task, do, places):
            looked += 1
            if isinstance(outcome, RedisError):
                log.warning("not relieved", task=task.value, error=type(outcome).__name__)
            elif isinstance(outcome, Exception):
                log.error("not relieved", task=task.value, exc_info=outcome)
    return looked


async def _all_overdue(
    bell: Bell, task: Task, do: Do, places: asyncio.Semaphore
) -> list[BaseException | None]:
    async def one(empresa_id: int) -> None:
        async with places:
            await do(empresa_id, _NO_JOB)

    try:
        overdue = await bell.overdue(task)
    except RedisError as error:
        return [error]
    return await asyncio.gather(*map(one, overdue), return_exceptions=True)

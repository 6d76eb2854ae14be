"""Wakes a worker for an empresa: one arq job at most per task. Called by drain, sweep and CLI."""

from __future__ import annotations

from secrets import token_hex

from redis.asyncio import Redis

from worker.queue.keys import Task, TaskKeys, arq_job
from worker.queue.scripts import load


def new_job_id(task: Task, empresa_id: int) -> str:
    """An id that no other arq job has."""
    return f"{task}:{empresa_id}:{token_hex(6)}"


def keys_of_ring(task: Task, empresa_id: int) -> tuple[list[str], str]:
    """What a script that rings is given: the keys, and the id for a new job."""
    keys, job_id = TaskKeys(empresa_id, task), new_job_id(task, empresa_id)
    return [keys.lease, keys.ring, keys.due, keys.queue, arq_job(job_id)], job_id


class Bell:
    """Rings for a task of an empresa."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._ring = load(redis, "ring_task")

    async def ring(self, task: Task, empresa_id: int, *, end_wait: bool = False) -> bool:
        """True when a job was queued; False when one is queued already or a worker is at it.

        `end_wait`: also when the way to the work was broken and is left alone for a while.
        """
        keys, job_id = keys_of_ring(task, empresa_id)
        queued = await self._ring(keys=keys, args=[empresa_id, task.value, job_id, int(end_wait)])
        return bool(queued)

    async def overdue(self, task: Task, *, limit: int = 1000) -> list[int]:
        """Empresas that a worker should have looked at by now, the longest waiting first."""
        seconds, micros = await self._redis.time()
        now_ms = seconds * 1000 + micros // 1000
        due = TaskKeys(0, task).due
        found = await self._redis.zrangebyscore(due, "-inf", now_ms, start=0, num=limit)
        # Others may write here, too: a member that is no id must not stop the sweep.
        return [int(empresa_id) for empresa_id in found if empresa_id.isdigit()]

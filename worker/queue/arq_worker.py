"""arq's worker, made to stand outages of Redis, and to hear a stop. Base of `woken`.

Two things of arq 0.28 that an outage brings about: its loop ends once for each job whose end could
not be written, after Redis is back, too; and a place that was taken for a job that could not be
started is never given back, until none is left and the worker takes no job any more. So here jobs
are taken by a script of ours, before the places, and with one call in place of four for each job.

A stop is a cancel of its loop, which Python 3.11's `asyncio.wait_for` loses when what it waits for
(redis-py: a write) ends in the same moment. The loop would go on for ever, taking no job.
"""

from __future__ import annotations

import asyncio
import signal
from functools import cached_property

import arq.worker
import structlog
from arq.constants import in_progress_key_prefix
from arq.worker import Worker
from redis.exceptions import RedisError

from worker.queue.scripts import Script, load

log = structlog.get_logger()


class OutageProofWorker(Worker):
    """A job whose end was not written stays in the queue: it is run again when its mark has run
    out, and then its lease decides whether there is something to do."""

    _ended = False

    async def _wait_for_tasks_to_complete(self, signum: signal.Signals) -> None:
        await super()._wait_for_tasks_to_complete(signum)  # and cancels the loop
        self._ended = True

    async def _poll_iteration(self) -> None:
        if self._ended:
            raise asyncio.CancelledError
        await super()._poll_iteration()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Starts those that nobody has, as far as there are places: one step for all of them.

        Raises what Redis raises; no place is held then.
        """
        ids = [job_id.decode() for job_id in job_ids[: self.max_jobs - self.job_counter]]
        if not ids:
            return
        now_ms = arq.worker.timestamp_ms()  # type: ignore[attr-defined]  # see redis_clock.py
        scores = await self._starting(
            keys=[self.queue_name, *(in_progress_key_prefix + job_id for job_id in ids)],
            args=[now_ms, int(self.in_progress_timeout_s * 1000), *ids],
        )
        for job_id, score in zip(ids, scores, strict=True):
            if score >= 0:
                await self._start(job_id, score)

    @cached_property
    def _starting(self) -> Script:
        return load(self.pool, "start_jobs")

    async def _start(self, job_id: str, score: int) -> None:
        """Only this loop takes places, so one is free."""
        await self.sem.acquire()
        self.job_counter += 1
        task = self.tasks[job_id] = self.loop.create_task(self.run_job(job_id, score))
        task.add_done_callback(lambda _: self._release_sem_dec_counter_on_complete())

    async def run_job(self, job_id: str, score: int) -> None:
        """One job, and the writing of its end. Bugs still end the loop."""
        try:
            await super().run_job(job_id, score)
        except (RedisError, OSError) as error:
            log.warning("end of a job not written", error=str(error))

"""arq's worker, made to stand outages of Redis, and to hear a stop. Base of `woken`.

Two things of arq 0.28 that an outage brings about: its loop ends once for each job whose end could
not be written, after Redis is back, too; and a place that was taken for a job that could not be
started is never given back, until none is left and the worker takes no job any more.

A stop is a cancel of its loop, which Python 3.11's `asyncio.wait_for` loses when what it waits for
(redis-py: a write) ends in the same moment. The loop would go on for ever, taking no job.
"""

from __future__ import annotations

import asyncio
import signal

import structlog
from arq.worker import Worker
from redis.exceptions import RedisError

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
        """Starts those that nobody has. Raises what Redis raises; no place is held then."""
        try:
            await super().start_jobs(job_ids)
        except (RedisError, OSError):
            await asyncio.sleep(0)  # jobs that have just ended give back their own places
            if self.job_counter > sum(not task.done() for task in self.tasks.values()):
                self._release_sem_dec_counter_on_complete()
            raise

    async def run_job(self, job_id: str, score: int) -> None:
        """One job, and the writing of its end. Bugs still end the loop."""
        try:
            await super().run_job(job_id, score)
        except (RedisError, OSError) as error:
            log.warning("end of a job not written", error=str(error))

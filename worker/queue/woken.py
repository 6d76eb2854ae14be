"""arq's worker, woken by rings in place of polling. Made by `worker.arq_queues`.

arq looks at its queue every so often. This one looks when something has changed in it, when its
next job is due, and now and then in any case: idle it costs next to nothing, and a job starts at
once.
"""

from __future__ import annotations

from typing import Any

import arq.worker

from worker.queue.arq_worker import OutageProofWorker
from worker.queue.rings import RingListener

_LONGEST_REST_S = 0.5
"""A ring that nobody heard costs so much at most."""


class WokenWorker(OutageProofWorker):
    """As arq's; `poll_delay` is only for what cannot be waited for: a free place, or a queue whose
    rings are not heard."""

    def __init__(self, *, rings: RingListener, poll_delay: float, **settings: Any) -> None:
        super().__init__(poll_delay=0, **settings)
        self._rings = rings
        self._shortest_s = poll_delay

    async def _poll_iteration(self) -> None:
        self._rings.reset(self.queue_name)
        await super()._poll_iteration()
        if not self.burst:
            await self._rings.rest(self.queue_name, longest_s=await self._rest_s())

    async def _rest_s(self) -> float:
        """Until the next job is due, by the clock that arq goes by."""
        full = self.job_counter >= self.max_jobs
        if full or not self._rings.heard or not self.allow_pick_jobs:
            return self._shortest_s
        # Those that run stand there until they have their lease.
        first = await self.pool.zrange(self.queue_name, 0, len(self.tasks), withscores=True)
        waiting = [score for job_id, score in first if job_id.decode() not in self.tasks]
        if not waiting:
            return _LONGEST_REST_S
        now_ms = arq.worker.timestamp_ms()  # type: ignore[attr-defined]  # see redis_clock.py
        due_s = (float(waiting[0]) - now_ms) / 1000
        return min(max(due_s, self._shortest_s), _LONGEST_REST_S)

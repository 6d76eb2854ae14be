"""Stops all work for one dealer while a person's data is read or erased. By erase and retention.

By the leases of the jobs themselves: whoever is at work finishes its piece, nobody begins another,
and what comes meanwhile waits on the inbox. A killed process lets go by the end of its leases.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_hex

from schema.errors import Transient
from tenancy.lease import TenantConnection
from worker.fence import pass_fence, raise_fence
from worker.queue.bell import Bell
from worker.queue.keys import Task
from worker.queue.lease import FenceAhead, Lease, LeaseDesk

_LOOK_S = 0.05
_RING_EVERY = 20

Held = Mapping[Task, Lease]


class StillAtWork(Transient):
    """A worker did not let go in time: try again."""


@asynccontextmanager
async def hold(
    desk: LeaseDesk, empresa_id: int, tasks: Sequence[Task] = tuple(Task), *, patience_s: float = 60
) -> AsyncIterator[Held]:
    """All leases of these tasks, until the end of the block; then the jobs look for work at once.

    Raises StillAtWork, and LeaseLost in place of the block when one could not be kept.
    """
    held: dict[Task, Lease] = {}
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(patience_s):
                for task in tasks:
                    lease = await _take(desk, task, empresa_id)
                    stack.push_async_callback(lease.leave, next_at_ms=0)
                    await stack.enter_async_context(lease.kept())
                    held[task] = lease
        except TimeoutError as error:
            raise StillAtWork(
                f"a worker is still at work for empresa {empresa_id}; try again"
            ) from error
        yield held


async def raise_fences(conn: TenantConnection, held: Held) -> None:
    """First in a transaction: workers that slept past their leases write nothing any more."""
    for task, lease in held.items():
        try:
            if not await raise_fence(conn, task, lease.epoch):
                await pass_fence(conn, task, lease.epoch)
        except FenceAhead as error:
            await lease.outrun(error.newest)
            raise


async def _take(desk: LeaseDesk, task: Task, empresa_id: int) -> Lease:
    """Also where the work is left alone for a while, for its way is broken or it is paused: ringing
    ends that wait."""
    bell, looks = Bell(desk.redis), 0
    while True:
        lease = await desk.take(task, empresa_id, job_id=f"lgpd-{token_hex(4)}")
        if lease is not None:
            return lease
        if looks % _RING_EVERY == 0:
            await bell.ring(task, empresa_id, end_wait=True)
        looks += 1
        await asyncio.sleep(_LOOK_S)

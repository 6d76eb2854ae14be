"""Runs one task of an empresa under its lease and says when it is due again. Used by both jobs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from schema.errors import (
    HelixError,
    Permanent,
    TenantOnHold,
    TenantOutdated,
    TenantPaused,
    TenantUnavailable,
)
from worker.clock import to_ms
from worker.queue.keys import Task
from worker.queue.lease import FenceAhead, Lease, LeaseDesk, LeaseLost

log = structlog.get_logger()

_LONGEST_WAIT_S = 30.0
_LEAVE_S = 2.0
_AFTER_S = 0.02
_EARLY_S = 0.005
_LONGEST_EARLY_S = 1.0

Work = Callable[[Lease], Awaitable[datetime | None]]
"""Does what there is to do; returns when there is more, None for when somebody rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArqJob:
    """The arq job that a piece of work runs in."""

    id: str
    due_ms: int
    """When it was to run, by Redis's clock."""


async def under_lease(
    desk: LeaseDesk, task: Task, empresa_id: int, job: ArqJob, work: Work, *, most: int = 0
) -> None:
    """What is broken around us makes the work wait: it is looked at again later.

    `most`: inbox entries to read with the taking of the lease, see `LeaseDesk.take`.
    Raises RedisError when Redis itself is away; the lease runs out and the sweep rings.
    """
    lease = await desk.take(task, empresa_id, job_id=job.id, most=most)
    if lease is None:
        return
    try:
        async with lease.kept():
            await _until_due(lease, job)
            next_at = await work(lease)
    except FenceAhead as error:
        log.warning("lease lost", empresa_id=empresa_id, task=task.value, reason=str(error))
        await _outrun(lease, error)
    except LeaseLost as error:
        log.warning("lease lost", empresa_id=empresa_id, task=task.value, reason=str(error))
    except asyncio.CancelledError:
        # The worker stops: another one goes on at once, from what is committed.
        await _hand_over(lease)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, somebody must look again
        await _leave_after(lease, task, _cause(error))
    else:
        if not lease.left:
            await lease.leave(next_at_ms=None if next_at is None else to_ms(next_at))


async def _until_due(lease: Lease, job: ArqJob) -> None:
    """arq's clock is Redis's of some seconds ago (`redis_clock`), and ahead for that long when a
    failover set it back: it would look too early, again and again."""
    early_s = (job.due_ms - lease.taken_ms) / 1000
    if early_s > _EARLY_S:
        await asyncio.sleep(min(early_s, _LONGEST_EARLY_S))
        lease.forget_what_was_read()


async def _outrun(lease: Lease, error: FenceAhead) -> None:
    """Another worker is at it, and then our lease is gone; or the database has seen an epoch that
    Redis does not know, for its clock or its data were set back: then the next lease beats that."""
    await lease.outrun(error.newest)
    await lease.leave(next_at_ms=0)


async def _hand_over(lease: Lease) -> None:
    leaving = asyncio.ensure_future(lease.leave(next_at_ms=0))
    try:
        async with asyncio.timeout(_LEAVE_S):
            await asyncio.shield(leaving)
    except (TimeoutError, RedisError) as error:
        log.warning("lease not given back; it runs out", error=str(error))


async def _leave_after(lease: Lease, task: Task, error: Exception) -> None:
    if isinstance(error, TenantPaused):
        # No failure. Whoever resumes him ends this wait; that it gets lost must not last.
        log.debug("task paused", empresa_id=lease.empresa_id, task=task.value)
        await _leave_for(lease, _LONGEST_WAIT_S * random.uniform(0.8, 1.2))
        return
    if isinstance(error, TenantOutdated):
        # No failure either. Whoever migrates him ends this wait.
        log.warning("task postponed", empresa_id=lease.empresa_id, task=task.value,
                    reason=str(error))  # fmt: skip
        await _leave_for(lease, _LONGEST_WAIT_S * random.uniform(0.8, 1.2))
        return
    if isinstance(error, TenantOnHold):
        await _put_off(lease, task, error)
        return
    failures = await lease.failed_again()
    wait_s = min(_LONGEST_WAIT_S, 0.5 * 2 ** min(failures, 10)) * random.uniform(0.8, 1.2)
    if isinstance(error, TenantUnavailable):
        wait_s = max(wait_s, error.retry_after_s)
    ids = {"empresa_id": lease.empresa_id, "task": task.value, "failures": failures}
    if isinstance(error, Permanent):
        log.error("task waits for a person", **ids, wait_s=round(wait_s, 1), reason=str(error))
    elif isinstance(error, HelixError | RedisError):
        log.warning("task waits", **ids, wait_s=round(wait_s, 1), reason=str(error))
    else:
        log.error("task failed", **ids, wait_s=round(wait_s, 1), exc_info=error)
    await _leave_for(lease, wait_s)


async def _put_off(lease: Lease, task: Task, error: TenantOnHold) -> None:
    """Nothing was tried, so this is no failure; the breaker has said once what is wrong.

    All dealers of a dead server are put off to the same time: a little later each, so that its
    first sign of life is not answered by all of them at once. Never for long, for a person may mend
    the registry's row meanwhile.
    """
    wait_s = min(_LONGEST_WAIT_S, error.retry_after_s + _AFTER_S) * random.uniform(1, 1.2)
    log.debug("task put off", empresa_id=lease.empresa_id, task=task.value,
              wait_s=round(wait_s, 1))  # fmt: skip
    await _leave_for(lease, wait_s)


async def _leave_for(lease: Lease, wait_s: float) -> None:
    try:
        now_ms = (await lease.look()).now_ms
    except LeaseLost as error:  # while it failed: another worker is at it already
        log.warning("lease lost", empresa_id=lease.empresa_id, reason=str(error))
        return
    await lease.leave(next_at_ms=now_ms + int(wait_s * 1000), wait=True)


def _cause(error: Exception) -> Exception:
    """What several tasks failed of together is nearly always one thing."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error

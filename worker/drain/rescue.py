"""Finds what stops a batch, and sets it aside so that the rest goes on. Called by the drain.

Events are stored one by one, then due turns are taken one by one: what fails alone is the culprit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from schema.errors import BadData, DuplicateKey, HelixError
from worker.drain.arrival import Arrival
from worker.drain.transaction import Done, DrainTransaction
from worker.queue.causes import cause_of
from worker.queue.dead_letters import DeadLetters
from worker.queue.lease import Lease

log = structlog.get_logger()


def is_about_what_is_stored(error: Exception) -> bool:
    """A value that does not fit, or a bug that some event or turn brings to light.

    Everything else is about the way or the database, and is waited out: no event is given up for
    it.
    """
    return isinstance(error, BadData | DuplicateKey) or not isinstance(
        error, HelixError | RedisError | OSError
    )


class Rescue:
    """One per process."""

    def __init__(self, transaction: DrainTransaction, dead_letters: DeadLetters) -> None:
        self._transaction = transaction
        self._dead_letters = dead_letters

    async def one_by_one(
        self, lease: Lease, arrivals: Sequence[Arrival], error: Exception, *, now: datetime
    ) -> list[Done]:
        """Stores and answers what can be; the rest is in the dead letters when it returns."""
        log.warning("batch failed, one by one", empresa_id=lease.empresa_id, events=len(arrivals),
                    reason=f"{type(error).__name__}: {error}")  # fmt: skip
        done = [d for arrival in arrivals if (d := await self._event(lease, arrival, now=now))]
        while True:
            last = await self._turn(lease, now=now)
            done.append(last)
            if not last.turns:
                return done

    async def _event(self, lease: Lease, arrival: Arrival, *, now: datetime) -> Done | None:
        try:
            return await self._transaction.run(lease, [arrival], now=now, most_turns=0)
        except Exception as error:
            if not is_about_what_is_stored(error):
                raise
            _log_bug(error, empresa_id=lease.empresa_id)
            await self._dead_letters.keep_event(
                lease.empresa_id,
                arrival.event.model_dump_json(exclude_defaults=True).encode(),
                at_ms=arrival.arrived_ms,
                origin=arrival.origin,
                entry_id=arrival.entry_id,
                error=f"{type(error).__name__}: {error}",
                cause=cause_of(error),
            )
            return None

    async def _turn(self, lease: Lease, *, now: datetime) -> Done:
        try:
            return await self._transaction.run(lease, (), now=now, most_turns=1)
        except Exception as error:
            if not is_about_what_is_stored(error):
                raise
            _log_bug(error, empresa_id=lease.empresa_id)
            return await self._transaction.run(lease, (), now=now, most_turns=1, give_up_for=error)


def _log_bug(error: Exception, *, empresa_id: int) -> None:
    if not isinstance(error, HelixError):
        log.error("bug in a drain", empresa_id=empresa_id, exc_info=error)

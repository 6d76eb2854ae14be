"""Finds what stops a batch, and sets it aside so that the rest goes on. Called by the drain.

Events are stored one by one, then due turns are taken one by one: what fails alone is the culprit.
An event is tried three times, with pauses. Until it is stored or given up, those of the same buyer
behind it wait, and nobody else's. A turn is tried once: Lucas decides without reading anything, so
that the same turn fails the same way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from schema.errors import BadData, DuplicateKey, HelixError
from worker.clock import to_ms
from worker.drain.arrival import Arrival
from worker.drain.transaction import Done, DrainTransaction
from worker.queue.causes import cause_of
from worker.queue.dead_letters import DeadLetters, Try
from worker.queue.lease import Lease

log = structlog.get_logger()

_PAUSES_S = (0.1, 0.4)
"""Between the tries of an event. Short: what else waits on this dealer's inbox waits for them."""


def is_about_what_is_stored(error: Exception) -> bool:
    """A value that does not fit, or a bug that some event or turn brings to light.

    Everything else is about the way or the database, and is waited out: no event is given up for
    it.
    """
    return isinstance(error, BadData | DuplicateKey) or not isinstance(
        error, HelixError | RedisError | OSError
    )


@dataclass(slots=True, kw_only=True)
class _Round:
    """One rescue as it goes on."""

    started: float
    now: datetime
    """When it began, by Redis's clock."""
    done: list[Done] = field(default_factory=list)
    tries: dict[str, list[Try]] = field(default_factory=dict)
    """What failed, by the origin of the event."""

    @property
    def at_ms(self) -> int:
        """Redis's time, told by our own clock since the beginning."""
        return to_ms(self.now) + round((time.monotonic() - self.started) * 1000)


class Rescue:
    """One per process."""

    def __init__(
        self,
        transaction: DrainTransaction,
        dead_letters: DeadLetters,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pause`: waits for so many seconds."""
        self._transaction = transaction
        self._pause = pause
        self._dead_letters = dead_letters

    async def one_by_one(
        self, lease: Lease, arrivals: Sequence[Arrival], error: Exception, *, now: datetime
    ) -> list[Done]:
        """Stores and answers what can be; the rest is in the dead letters when it returns."""
        log.warning("batch failed, one by one", empresa_id=lease.empresa_id, events=len(arrivals),
                    reason=f"{type(error).__name__}: {error}")  # fmt: skip
        round_ = _Round(started=time.monotonic(), now=now)
        left = await self._events(lease, arrivals, round_, is_last=False)
        await self._turns(lease, round_)
        for pause_s in _PAUSES_S:
            if left:
                await self._pause(pause_s)
                left = await self._events(lease, left, round_, is_last=pause_s == _PAUSES_S[-1])
                await self._turns(lease, round_)
        return round_.done

    async def _events(
        self, lease: Lease, arrivals: Sequence[Arrival], round_: _Round, *, is_last: bool
    ) -> list[Arrival]:
        """One try of each; those that are to be tried again, in their order."""
        left: list[Arrival] = []
        for arrival in arrivals:
            if any(_same_buyer(arrival, other) for other in left):
                left.append(arrival)
                continue
            error = await self._event(lease, arrival, round_)
            if error is not None and is_last:
                await self._give_up(lease, arrival, error, round_)
            elif error is not None:
                left.append(arrival)
        return left

    async def _event(self, lease: Lease, arrival: Arrival, round_: _Round) -> Exception | None:
        """One try; what went wrong with the event."""
        now = round_.now
        try:
            round_.done.append(await self._transaction.run(lease, [arrival], now=now, most_turns=0))
        except Exception as error:
            if not is_about_what_is_stored(error):
                raise
            _log_bug(error, empresa_id=lease.empresa_id)
            round_.tries.setdefault(arrival.origin, []).append(
                Try(at_ms=round_.at_ms, error=_words(error))
            )
            return error
        return None

    async def _give_up(
        self, lease: Lease, arrival: Arrival, error: Exception, round_: _Round
    ) -> None:
        await self._dead_letters.keep_event(
            lease.empresa_id,
            arrival.event.model_dump_json(exclude_defaults=True).encode(),
            at_ms=arrival.arrived_ms,
            origin=arrival.origin,
            entry_id=arrival.entry_id,
            error=_words(error),
            cause=cause_of(error),
            tries=round_.tries[arrival.origin],
        )

    async def _turns(self, lease: Lease, round_: _Round) -> None:
        while True:
            round_.done.append(await self._turn(lease, now=round_.now))
            if not round_.done[-1].turns:
                return

    async def _turn(self, lease: Lease, *, now: datetime) -> Done:
        try:
            return await self._transaction.run(lease, (), now=now, most_turns=1)
        except Exception as error:
            if not is_about_what_is_stored(error):
                raise
            _log_bug(error, empresa_id=lease.empresa_id)
            return await self._transaction.run(lease, (), now=now, most_turns=1, give_up_for=error)


def _same_buyer(one: Arrival, other: Arrival) -> bool:
    """Whether they may be of one conversation: whatever names a buyer, names him in both."""
    ours, theirs = one.event, other.event
    names = (
        (ours.phone, theirs.phone),
        (ours.user_id, theirs.user_id),
        (ours.reply_to, theirs.reply_to),
    )
    return any(name is not None and name == same for name, same in names)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _log_bug(error: Exception, *, empresa_id: int) -> None:
    if not isinstance(error, HelixError):
        log.error("bug in a drain", empresa_id=empresa_id, exc_info=error)

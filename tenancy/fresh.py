"""A cache that asks again when an answer grows old, and lives on old answers when it must.

Used by `tenancy.registry`. Knows nothing of databases.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from schema.errors import Transient

log = structlog.get_logger()

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_PATIENCE_S = 0.5
"""How long a known answer is held back for a newer one: a dead registry must not slow the rest."""
_RETRY_S = 1.0
"""After a read that failed, a known answer is used for this long before the next one is tried."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    checked_at: float
    retry_at: float = -math.inf


@dataclass(slots=True)
class _Flight(Generic[V]):
    """A read under way; `wanted` is cleared when it was begun before a change."""

    task: asyncio.Task[V]
    begun_at: float
    wanted: bool = field(default=True)


class FreshCache(Generic[K, V]):
    """One read at a time per key, however many ask; the first one's cancel stops no one else."""

    def __init__(
        self,
        read: Callable[[K], Awaitable[V]],
        *,
        fresh_s: float,
        absent_s: float | None = None,
        max_entries: int = 20_000,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`absent_s`: how long a None stays an answer; a key from outside may be made up, so only
        `max_entries` are kept. `clock`: seconds; None: that of the event loop."""
        self._read = read
        self._fresh_s = fresh_s
        self._absent_s = fresh_s if absent_s is None else absent_s
        self._max = max_entries
        self._clock = clock
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._flights: dict[K, _Flight[V]] = {}
        self._tasks: set[asyncio.Task[V]] = set()

    async def get(self, key: K) -> V:
        """The answer for a key. Raises what `read` raises when no answer was ever known."""
        entry = self._entries.get(key)
        now = self._now()
        if entry is not None and self._good(entry, now):
            return entry.value
        flight = self._flights.get(key) or self._start(key, now)
        if entry is None:
            return await _shared(flight.task)
        patience_s = flight.begun_at + _PATIENCE_S - now
        if patience_s > 0:
            await asyncio.wait({flight.task}, timeout=patience_s)
        return self._newest(entry, flight)

    async def renew(self, key: K) -> V:
        """The answer of a read that begins now. Raises what `read` raises; the known one stays."""
        self.stale(key)
        return await _shared(self._start(key, self._now()).task)

    def stale(self, key: K) -> None:
        """The next `get` reads anew, even if a read is under way; what is known stays at hand."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.checked_at = entry.retry_at = -math.inf
        self._disown(key)

    def stale_where(self, holds: Callable[[V], bool]) -> None:
        """`stale` for all whose answer is such, and for all that are being read."""
        stale = [key for key, entry in self._entries.items() if holds(entry.value)]
        for key in [*stale, *self._flights]:
            self.stale(key)

    def forget(self, key: K) -> None:
        """Like `stale`, and what was known is gone."""
        self._entries.pop(key, None)
        self._disown(key)

    def known(self) -> dict[K, V]:
        """All answers at hand, fresh or not."""
        return {key: entry.value for key, entry in self._entries.items()}

    def asked(self, key: K) -> bool:
        """Whether someone has or is about to have an answer for the key."""
        return key in self._entries or key in self._flights

    def old(self, age_s: float) -> int:
        """How many answers were last confirmed longer ago than this."""
        limit = self._now() - age_s
        return sum(entry.checked_at < limit for entry in self._entries.values())

    def clear(self) -> None:
        """Forgets all."""
        for key in [*self._entries, *self._flights]:
            self.forget(key)

    async def close(self) -> None:
        """Ends the reads under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _good(self, entry: _Entry[V], now: float) -> bool:
        life_s = self._absent_s if entry.value is None else self._fresh_s
        return now - entry.checked_at < life_s or now < entry.retry_at

    def _disown(self, key: K) -> None:
        """A read that began before a change may still serve those who asked before it."""
        flight = self._flights.pop(key, None)
        if flight is not None:
            flight.wanted = False

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def _newest(self, known: _Entry[V], flight: _Flight[V]) -> V:
        """A registry that is down leaves the known answer in force; any other error speaks."""
        task = flight.task
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is None:
                return task.result()
            if not isinstance(error, Transient):
                raise error
        return known.value

    def _start(self, key: K, now: float) -> _Flight[V]:
        flight = _Flight(asyncio.ensure_future(self._fetch(key)), now)
        self._flights[key] = flight
        self._tasks.add(flight.task)
        flight.task.add_done_callback(lambda _task: self._land(key, flight))
        return flight

    async def _fetch(self, key: K) -> V:
        return await self._read(key)

    def _land(self, key: K, flight: _Flight[V]) -> None:
        self._tasks.discard(flight.task)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.cancelled() or not flight.wanted:
            return
        error = flight.task.exception()
        if error is None:
            self._store(key, flight.task.result())
        elif isinstance(error, Transient) and (entry := self._entries.get(key)) is not None:
            log.warning("registry read failed, known answer kept", key=str(key))
            entry.retry_at = self._now() + _RETRY_S

    def _store(self, key: K, value: V) -> None:
        self._entries[key] = _Entry(value, self._now())
        self._entries.move_to_end(key)
        while len(self._entries) > self._max:
            self._entries.popitem(last=False)


async def _shared(task: asyncio.Task[V]) -> V:
    """A read that serves others too. When the cache is closed it is given up: that is no cancel of
    whoever asked."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        asker = asyncio.current_task()
        if task.cancelled() and asker is not None and not asker.cancelling():
            raise Transient("the registry was closed in mid-read") from None
        raise

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


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    checked_at: float


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
    ) -> None:
        """`absent_s`: how long a None stays an answer; a key from outside may be made up, so only
        `max_entries` are kept."""
        self._read = read
        self._fresh_s = fresh_s
        self._absent_s = fresh_s if absent_s is None else absent_s
        self._max = max_entries
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._flights: dict[K, _Flight[V]] = {}

    async def get(self, key: K) -> V:
        """The answer for a key. Raises what `read` raises when no answer was ever known."""
        entry = self._entries.get(key)
        now = asyncio.get_running_loop().time()
        if entry is not None and now - entry.checked_at < self._life(entry.value):
            return entry.value
        flight = self._flights.get(key) or self._start(key, now)
        if entry is None:
            return await asyncio.shield(flight.task)
        patience_s = flight.begun_at + _PATIENCE_S - now
        if patience_s > 0:
            await asyncio.wait({flight.task}, timeout=patience_s)
        return self._newest(key, entry, flight)

    def forget(self, key: K) -> None:
        """The next `get` reads anew, even if a read is under way."""
        self._entries.pop(key, None)
        flight = self._flights.pop(key, None)
        if flight is not None:
            flight.wanted = False

    def doubt(self, key: K) -> None:
        """The next `get` reads anew; should the registry be down, the known answer stands."""
        entry = self._entries.get(key)
        if entry is None:
            return
        entry.checked_at = -math.inf
        flight = self._flights.pop(key, None)
        if flight is not None:
            flight.wanted = False

    def clear(self) -> None:
        """Forgets all."""
        for key in [*self._entries, *self._flights]:
            self.forget(key)

    async def close(self) -> None:
        """Ends the reads under way."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _life(self, value: V) -> float:
        return self._absent_s if value is None else self._fresh_s

    def _newest(self, key: K, known: _Entry[V], flight: _Flight[V]) -> V:
        """A registry that is down leaves the known answer in force; any other error speaks."""
        task = flight.task
        if task.done() and not task.cancelled():
            error = task.exception()
            if error is None:
                return task.result()
            if not isinstance(error, Transient):
                raise error
            log.warning("registry read failed, known answer kept", key=str(key))
            known.checked_at = asyncio.get_running_loop().time()
        return known.value

    def _start(self, key: K, now: float) -> _Flight[V]:
        flight = _Flight(asyncio.ensure_future(self._fetch(key)), now)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _task: self._land(key, flight))
        return flight

    async def _fetch(self, key: K) -> V:
        return await self._read(key)

    def _land(self, key: K, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.cancelled() or flight.task.exception() is not None or not flight.wanted:
            return
        value = flight.task.result()
        self._entries[key] = _Entry(value, asyncio.get_running_loop().time())
        self._entries.move_to_end(key)
        while len(self._entries) > self._max:
            self._entries.popitem(last=False)

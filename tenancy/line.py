"""Who waits for something to be handed over, in order of arrival. Used by `tenancy.demand`."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """The futures of those who wait; what is handed over is set on them. A waiter whose task was
    cancelled is done already, and passed over."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: deque[asyncio.Future[T]] | tuple[()] = ()
        """A deque once somebody has waited: an empty one takes 760 bytes, for each dealer known."""

    def __len__(self) -> int:
        """How many wait, with those who were cancelled and do not know it yet."""
        return len(self._waiters)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(not waiter.done() for waiter in self._waiters)

    def join(self) -> asyncio.Future[T]:
        """A place at the end."""
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if isinstance(self._waiters, tuple):
            self._waiters = deque()
        self._waiters.append(waiter)
        return waiter

    def step_out(self, waiter: asyncio.Future[T]) -> None:
        """For a waiter that was cancelled."""
        if isinstance(self._waiters, deque) and waiter in self._waiters:
            self._waiters.remove(waiter)

    def first(self) -> asyncio.Future[T] | None:
        """Takes out the one whose turn it is."""
        while isinstance(self._waiters, deque) and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def fail(self, error: Exception) -> None:
        """Sends all away."""
        while (waiter := self.first()) is not None:
            waiter.set_exception(error)

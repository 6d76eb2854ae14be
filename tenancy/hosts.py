"""Bounds the connections of this process to one database server. Used by `tenancy.pool`.

All pools of a server share one gate. Who finds it full takes the place of the connection that has
been idle longest, in whatever pool: so a pool in use is never closed to make room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from tenancy.session import Session


class HostGate:
    """Counts the places of one (host, port). Nothing in here waits except `enter`."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.taken = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._idle: dict[Session, Callable[[Session], None]] = {}
        """Idle connections, oldest first, with what closes each of them in its pool."""

    async def enter(self) -> None:
        """Takes a place; waits for one in order of arrival. The caller sets the deadline."""
        if self.taken >= self.budget:
            self._close_oldest()
        if self.taken < self.budget:
            self.taken += 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self.leave()  # handed a place in the same moment
            elif waiter in self._waiters:  # leave() drops those that it finds cancelled
                self._waiters.remove(waiter)
            raise

    def leave(self) -> None:
        """Gives a place back: to the first who waits, if there is one."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)  # the place changes hands, `taken` stays
                return
        self.taken -= 1

    def rest(self, session: Session, evict: Callable[[Session], None]) -> None:
        """A connection goes idle. When someone waits for a place, it is closed for them."""
        self._idle[session] = evict
        if self._waiters:
            self._close_oldest()

    def wake(self, session: Session) -> None:
        """An idle connection is in use again, or gone."""
        self._idle.pop(session, None)

    def _close_oldest(self) -> None:
        oldest = next(iter(self._idle), None)
        if oldest is not None:
            self._idle.pop(oldest)(oldest)

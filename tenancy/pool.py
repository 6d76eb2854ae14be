"""Shares the connections to one database as one user. Used by `tenancy.pools` and `.central`.

Not aiomysql.Pool: that one hangs for ever when a holder is cancelled or gives back a transaction
while another waits. Here nothing that changes the counts ever awaits, so every count holds at every
await: size = idle + in use + connecting, and no one waits while something is free.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from schema.errors import HelixError
from tenancy.faults import Faults
from tenancy.hosts import HostGate
from tenancy.session import Session

_PING_AFTER_S = 30.0
_PING_S = 1.0
_MAX_AGE_S = 1800.0


class PoolRetired(Exception):
    """The registry names another database by now: ask for the pool anew."""


@dataclass(frozen=True, slots=True)
class _Connect:
    """What a waiter is handed instead of a connection: leave to open one, already counted."""


_CONNECT = _Connect()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many, and for how long."""

    size: int = 4
    acquire_s: float = 5
    idle_s: float = 60


class ConnectionPool:
    """Costs nothing until it is used. Waiters are served in order of arrival."""

    def __init__(
        self,
        open_one: Callable[[], Awaitable[Session]],
        *,
        gate: HostGate,
        limits: PoolLimits,
        faults: Faults,
    ) -> None:
        self._open_one = open_one
        self._gate = gate
        self._limits = limits
        self._faults = faults
        self._idle: list[Session] = []
        self._in_use: dict[Session, asyncio.Task[object] | None] = {}
        self._connecting = 0
        self._waiters: deque[asyncio.Future[Session | _Connect]] = deque()
        self._retired = False
        self._empty = asyncio.Event()
        self._max_age_s = _MAX_AGE_S * random.uniform(0.8, 1.2)

    @property
    def size(self) -> int:
        """Connections that count against the limit, those being opened included."""
        return len(self._idle) + len(self._in_use) + self._connecting

    @property
    def in_use(self) -> int:
        """Connections that are lent out."""
        return len(self._in_use)

    @property
    def idle(self) -> int:
        """Connections that wait for work."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Tasks that wait for a connection."""
        return sum(not waiter.done() for waiter in self._waiters)

    async def acquire(self) -> Session:
        """A connection for the current task.

        Raises what `faults` makes of a failed connect or of the deadline, PoolRetired, or
        RuntimeError when the task holds one already: with all waiting for their second, none ends.
        """
        task = asyncio.current_task()
        if task in self._in_use.values():
            raise RuntimeError("this task holds a connection of this database already")
        if self._retired:
            raise PoolRetired
        while (session := self._take_idle(task)) is not None:
            if await self._fresh(session):
                return session
        try:
            async with asyncio.timeout(self._limits.acquire_s):
                return await self._connect_or_wait(task)
        except TimeoutError as error:
            reason = f"no connection became free within {self._limits.acquire_s:g} s"
            raise self._faults.unavailable(reason) from error

    def release(self, session: Session) -> None:
        """Takes a connection back; never waits, never fails. Wakes one waiter, whatever comes."""
        del self._in_use[session]
        if self._retired or not session.reusable or self._too_old(session):
            session.cut()
            self._gate.leave()
            self._offer_place()
            self._note_empty()
        elif not self._hand_on(session):
            session.idle_since = _now()
            self._idle.append(session)
            self._gate.rest(session, self._evict)

    def reap(self) -> None:
        """Closes what has been idle for too long or was closed by the server."""
        limit = _now() - self._limits.idle_s
        for session in [one for one in self._idle if one.idle_since < limit or not one.alive]:
            self._gate.wake(session)
            self._evict(session)

    def retire(self) -> None:
        """Closes all idle connections; those in use are closed when they come back."""
        self._retired = True
        for session in list(self._idle):
            self._gate.wake(session)
            self._evict(session)
        self._fail_waiters(PoolRetired())
        self._note_empty()

    async def emptied(self) -> None:
        """Waits until a retired pool's last connection came back. The caller sets the deadline."""
        await self._empty.wait()

    def cut_all(self) -> None:
        """Ends the connections that are still in use; their holders get an error."""
        for session in self._in_use:
            session.cut()

    def _take_idle(self, task: asyncio.Task[object] | None) -> Session | None:
        """The connection used last, so that the others grow old and go."""
        while self._idle:
            session = self._idle.pop()
            self._gate.wake(session)
            if session.reusable and not self._too_old(session):
                self._in_use[session] = task
                return session
            session.quit()
            self._gate.leave()
        return None

    async def _fresh(self, session: Session) -> bool:
        """False when a connection turns out to be dead after a long rest; it is gone then."""
        if _now() - session.idle_since < _PING_AFTER_S:
            return True
        try:
            alive = await session.ping(_PING_S)
        except BaseException:
            self.release(session)
            raise
        if not alive:
            self.release(session)
        return alive

    async def _connect_or_wait(self, task: asyncio.Task[object] | None) -> Session:
        if self.size < self._limits.size:
            self._connecting += 1
            return await self._connect(task)
        waiter: asyncio.Future[Session | _Connect] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            given = await waiter
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise
        if isinstance(given, _Connect):
            return await self._connect(task)
        self._in_use[given] = task
        return given

    async def _connect(self, task: asyncio.Task[object] | None) -> Session:
        """Opens the connection that is already counted in `_connecting`."""
        entered = False
        try:
            await self._gate.enter()
            entered = True
            session = await self._open_one()
        except BaseException as error:
            self._connecting -= 1
            if entered:
                self._gate.leave()
            self._after_failed_connect(error)
            self._note_empty()
            raise
        self._connecting -= 1
        self._in_use[session] = task
        return session

    def _after_failed_connect(self, error: BaseException) -> None:
        """Someone who was cancelled says nothing of the database: the next one tries. If it is the
        database that fails, all who could only be served by a new connection fail as fast."""
        if not isinstance(error, HelixError):
            self._offer_place()
        elif not self._in_use and not self._connecting:
            self._fail_waiters(error)

    def _fail_waiters(self, error: Exception) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _give_back(self, waiter: asyncio.Future[Session | _Connect]) -> None:
        """A cancelled waiter passes on what it was handed in the same moment."""
        if not waiter.done() or waiter.cancelled():
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        elif waiter.exception() is None:
            given = waiter.result()
            if isinstance(given, _Connect):
                self._connecting -= 1
                self._offer_place()
            else:
                self._in_use[given] = None
                self.release(given)

    def _hand_on(self, session: Session) -> bool:
        """Gives a connection to the first waiter; it counts as in use from now on."""
        waiter = self._next_waiter()
        if waiter is None:
            return False
        self._in_use[session] = None
        waiter.set_result(session)
        return True

    def _offer_place(self) -> None:
        """Lets the first waiter open a connection, if the limit allows one more."""
        if self.size < self._limits.size and (waiter := self._next_waiter()) is not None:
            self._connecting += 1
            waiter.set_result(_CONNECT)

    def _next_waiter(self) -> asyncio.Future[Session | _Connect] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _evict(self, session: Session) -> None:
        """Closes an idle connection; the gate has forgotten it already."""
        self._idle.remove(session)
        session.quit()
        self._gate.leave()

    def _note_empty(self) -> None:
        if self._retired and not self.size:
            self._empty.set()

    def _too_old(self, session: Session) -> bool:
        return _now() - session.opened_at > self._max_age_s


def _now() -> float:
    return asyncio.get_running_loop().time()

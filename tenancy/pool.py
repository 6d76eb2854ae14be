"""Shares the connections to one database as one user. Used by `tenancy.pools` and `.central`.

Not aiomysql.Pool: that one hangs for ever when a holder is cancelled or gives back a transaction
while another waits. Here nothing that changes the counts ever awaits, so every count holds at every
await: size = idle + in use + connecting, and no one waits while something is free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from schema.errors import HelixError
from tenancy.admission import Admission, Passes
from tenancy.ceiling import Ceiling, PoolLimits
from tenancy.demand import Connect, Demand
from tenancy.faults import Faults, Trouble, trouble_of
from tenancy.hosts import HostGate
from tenancy.idle import IdleStack
from tenancy.meter import Gone, HostMeter
from tenancy.session import Session

_PING_S = 1.0
_LIMITED_PAUSE_S = 0.1


class PoolRetired(Exception):
    """The registry names another database by now: ask for the pool anew."""


class ConnectionPool:
    """Costs nothing until it is used. Waiters are served in order of arrival."""

    def __init__(
        self,
        open_one: Callable[[], Awaitable[Session]],
        *,
        gate: HostGate,
        limits: PoolLimits,
        faults: Faults,
        empresa_id: int | None = None,
        meter: HostMeter | None = None,
    ) -> None:
        """`empresa_id`: whose it is; None for the central database."""
        self._admission = Admission(gate, faults)
        self.breaker = self._admission.breaker
        self._empresa_id = empresa_id
        self._open_one = open_one
        self._gate = gate
        self._limits = limits
        self._faults = faults
        self._meter = HostMeter() if meter is None else meter
        self._ceiling = Ceiling(limits.size, empresa_id)
        self._idle = IdleStack(self, gate, self._meter)
        self._in_use: dict[Session, asyncio.Task[object] | None] = {}
        self._line = Demand(self, gate, self._ceiling)
        self._retired = False
        self._empty: asyncio.Event | None = None
        """Someone waits for a retired pool's last connection."""
        self.waits = 0
        """Acquires that found no idle connection."""
        self.waited_s = 0.0
        """What they took, all together."""

    @property
    def size(self) -> int:
        """Connections that have a place, those being opened included: what the limit is for."""
        return len(self._idle) + len(self._in_use) + self._line.connecting

    @property
    def in_use(self) -> int:
        """Connections that are lent out."""
        return len(self._in_use)

    @property
    def idle(self) -> int:
        """Connections that wait for work."""
        return len(self._idle)

    @property
    def connecting(self) -> int:
        """Connections that are being opened."""
        return self._line.connecting

    @property
    def waiting(self) -> int:
        """Tasks that wait for a connection."""
        return self._line.waiting

    async def acquire(self) -> Session:
        """A connection for the current task.

        Raises what `faults` makes of a failed connect, of an open breaker (at once, without I/O) or
        of the deadline, PoolRetired, or RuntimeError when the task holds one already: with all
        waiting for their second, none ends.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task in self._in_use.values():
            raise RuntimeError("this task holds a connection of this database already")
        if self._retired:
            raise PoolRetired
        passes = self._admission.admit(at_hand=len(self._idle) > 0)
        session = self._take_idle(task)
        if session is not None and not passes.doubt(session, loop.time()):
            self._meter.reused += 1
            return session
        try:
            session = await self._get(task, passes, session)
        except BaseException as error:
            self._admission.ended(passes, error)
            raise
        if passes.is_probe:
            self._admission.answered(passes)
        return session

    def release(self, session: Session) -> None:
        """Takes a connection back; never waits, never fails. Wakes one waiter, whatever comes."""
        del self._in_use[session]
        now = _now()
        if session.lost:
            self._gate.lost(self._empresa_id)
        if self._retired or not session.reusable or self._idle.too_old(session, now):
            self._meter.gone[self._why(session)] += 1
            session.cut()
            self._left()
        elif not self._line:
            self._idle.put(session, now)
        elif self._gate.wanted_from(self):
            self._meter.gone[Gone.SHARED] += 1
            session.quit()
            self._left()
        elif not self._hand_on(session):
            self._idle.put(session, now)

    def reap(self, *, idle_s: float | None = None) -> None:
        """Closes what has been idle for too long or was closed by the server."""
        self._idle.reap(_now() - (self._limits.idle_s if idle_s is None else idle_s))

    def retire(self) -> None:
        """Closes all idle connections; those in use are closed when they come back."""
        self._retired = True
        self._idle.clear(Gone.CHANGED)
        self._line.fail(PoolRetired())
        self._note_empty()

    async def emptied(self) -> None:
        """Waits until a retired pool's last connection came back. The caller sets the deadline."""
        if self._retired and not self.size:
            return
        self._empty = self._empty or asyncio.Event()
        await self._empty.wait()

    def cut_all(self) -> None:
        """Ends the connections that are still in use; their holders get an error."""
        for session in self._in_use:
            session.cut()

    async def _get(
        self, task: asyncio.Task[object] | None, passes: Passes, session: Session | None
    ) -> Session:
        """`session`: an idle one that may be dead."""
        while session is not None:
            if await self._answers(session):
                self._meter.reused += 1
                return session
            session = self._take_idle(task)
        begun = _now()
        try:
            async with asyncio.timeout(self._limits.acquire_s):
                return await self._patiently(task, passes)
        except TimeoutError as error:
            reason = f"no connection became free within {self._limits.acquire_s:g} s"
            raise self._faults.unavailable(reason) from error
        finally:
            self._note_wait(_now() - begun)

    async def _patiently(self, task: asyncio.Task[object] | None, passes: Passes) -> Session:
        """The server's own limit for this user is waited out like ours."""
        while True:
            if self._retired:
                raise PoolRetired
            try:
                return await self._connect_or_wait(task, passes)
            except HelixError as error:
                if trouble_of(error) is not Trouble.LIMIT:
                    raise
            if not self._in_use:  # other processes hold them all; nobody will hand us one
                await asyncio.sleep(_LIMITED_PAUSE_S)
            if (session := self._take_idle(task)) is not None:
                return session

    def _take_idle(self, task: asyncio.Task[object] | None) -> Session | None:
        session = self._idle.take()
        if session is not None:
            self._in_use[session] = task
        return session

    async def _answers(self, session: Session) -> bool:
        """False when a connection turns out to be dead; it is gone then."""
        try:
            alive = await session.ping(_PING_S)
        except BaseException:
            self.release(session)
            raise
        if not alive:
            self.release(session)
        return alive

    async def _connect_or_wait(self, task: asyncio.Task[object] | None, passes: Passes) -> Session:
        waiter = self._line.join()
        try:
            given = await waiter
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise
        if isinstance(given, Connect):
            return await self._connect(task, passes)
        self._in_use[given] = task
        return given

    async def _connect(self, task: asyncio.Task[object] | None, passes: Passes) -> Session:
        """Opens the connection that is already counted in `connecting`."""
        try:
            self._admission.check(passes)  # a breaker may have opened while we waited
            session = await self._admission.connected(passes, self._open_one)
        except BaseException as error:
            self._line.connecting -= 1
            self._gate.leave(self)
            self._after_failed_connect(error)
            if self._retired and isinstance(error, HelixError):
                raise PoolRetired from error  # that database may be gone for the reason we moved
            raise
        self._line.connecting -= 1
        self._in_use[session] = task
        self._line.ask()  # for those who wait since an earlier attempt failed
        return session

    def _after_failed_connect(self, error: BaseException) -> None:
        """If it is the database that fails, all who could only be served by a new connection fail
        as fast. Otherwise the next one tries: someone who was cancelled says nothing of it, and
        with connections in use it is not quite dead, until a breaker says so."""
        trouble = trouble_of(error)
        if trouble is Trouble.LIMIT:
            held = len(self._in_use) + self._line.connecting
            self._ceiling.lower(held, _now(), reason=str(error))
        alone = not self._in_use and not self._line.connecting and trouble is not Trouble.LIMIT
        if isinstance(error, HelixError) and (alone or trouble is Trouble.CONFIG):
            self._line.fail(error)
        else:
            self._line.ask()
        self._note_empty()

    def _give_back(self, waiter: asyncio.Future[Session | Connect]) -> None:
        """A cancelled waiter passes on what it was handed in the same moment."""
        if not waiter.done() or waiter.cancelled():
            self._line.step_out(waiter)
        elif waiter.exception() is None:
            given = waiter.result()
            if isinstance(given, Connect):
                self._line.connecting -= 1
                self._left()
            else:
                self._in_use[given] = None
                self.release(given)

    def _hand_on(self, session: Session) -> bool:
        """Gives a connection to the first waiter; it counts as in use from now on."""
        waiter = self._line.first()
        if waiter is None:
            return False
        self._in_use[session] = None
        self._line.hand(waiter, session)
        return True

    def _left(self) -> None:
        """A connection is gone."""
        self._line.left()
        self._note_empty()

    def _note_empty(self) -> None:
        if self._empty is not None and self._retired and not self.size:
            self._empty.set()

    def _why(self, session: Session) -> Gone:
        """Why a connection has no next user."""
        if self._retired:
            return Gone.CHANGED
        return Gone.AGE if session.reusable else Gone.BROKEN

    def _note_wait(self, took_s: float) -> None:
        self._meter.waited.add(took_s)
        self.waits += 1
        self.waited_s += took_s


def _now() -> float:
    return asyncio.get_running_loop().time()

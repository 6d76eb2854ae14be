"""Bounds the connections of this process to one database server. Used by `tenancy.pool`.

All pools of a server share one gate. Who finds it full takes the place of the connection that has
been idle longest, in whatever pool: so a pool in use is never closed to make room. All gates of a
process may share a second bound, which works alike between servers.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Hashable

import structlog

from tenancy.breaker import SERVER, Breaker, Pass
from tenancy.session import Session

log = structlog.get_logger()

Granted = Callable[[], None]
"""Called with the place already taken; who has no use for it by then calls `leave`."""


class Places:
    """So many places, shared by parties in turn. Nothing in here waits or fails."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.taken = 0
        self._held: Counter[Hashable] = Counter()
        self._asking: dict[Hashable, deque[Granted]] = {}
        """Who waits for places, the party whose turn is next first."""
        self._idle: dict[Session, Callable[[Session], None]] = {}
        """Idle connections, oldest first, with what closes each of them in its pool."""

    @property
    def waiting(self) -> int:
        """Places that are waited for."""
        return sum(map(len, self._asking.values()))

    def ask(self, party: Hashable, granted: Granted) -> None:
        """Calls `granted` once there is a place: now, or at somebody's `leave`."""
        if self.taken >= self.budget:
            self._close_oldest()
        if self.taken >= self.budget:
            self._asking.setdefault(party, deque()).append(granted)
            return
        self.taken += 1
        self._held[party] += 1
        granted()

    def withdraw(self, party: Hashable) -> bool:
        """Takes a party's last question back; False when none is open."""
        line = self._asking.get(party)
        if line is None:
            return False
        line.pop()
        if not line:
            del self._asking[party]
        return True

    def leave(self, party: Hashable) -> None:
        """Gives a place back: to the next who waits, if there is one."""
        self._held[party] -= 1
        if not self._held[party]:
            del self._held[party]
        following = self._next()
        if following is None:
            self.taken -= 1
            return
        line = self._asking.pop(following)
        granted = line.popleft()
        if line:
            self._asking[following] = line  # at the end: the others come first
        self._held[following] += 1
        granted()  # the place changes hands, `taken` stays

    def wanted_from(self, party: Hashable) -> bool:
        """Whether a party that has more to do should give up a place: another one has none, or at
        least two less. So neither starves, and places do not go to and fro for nothing."""
        following = self._next()
        if following is None or following == party:
            return False
        held = self._held[following]
        return not held or held + 2 <= self._held[party]

    def rest(self, session: Session, evict: Callable[[Session], None]) -> None:
        """A connection goes idle; `evict` closes it and ends in `wake` and `leave`."""
        self._idle[session] = evict

    def make_room(self) -> None:
        """Closes an idle connection when someone waits for a place."""
        if self._next() is not None:
            self._close_oldest()

    def wake(self, session: Session) -> None:
        """An idle connection is in use again, or gone."""
        self._idle.pop(session, None)

    def _close_oldest(self) -> None:
        oldest = next(iter(self._idle), None)
        if oldest is not None:
            self._idle[oldest](oldest)

    def _next(self) -> Hashable | None:
        """In turn, but who holds nothing comes before those who have something to work with."""
        if not self._asking:
            return None
        hungry = (party for party in self._asking if not self._held[party])
        return next(hungry, next(iter(self._asking)))


class HostGate:
    """The places and the breaker of one server."""

    def __init__(
        self, budget: int, *, address: tuple[str, int] = ("", 0), process: Places | None = None
    ) -> None:
        """`process`: the bound that this gate shares with those of all other servers."""
        self.breaker = Breaker(SERVER, clock=time.monotonic)
        self._address = address
        self._host = Places(budget)
        self._all = (self._host,) if process is None else (self._host, process)
        self._process = process

    @property
    def budget(self) -> int:
        """Most connections of this process to the server."""
        return self._host.budget

    @property
    def taken(self) -> int:
        """Connections that count against the budget, those being opened included."""
        return self._host.taken

    @property
    def waiting(self) -> int:
        """Places that are waited for."""
        return self._host.waiting

    def ask(self, party: Hashable, granted: Granted) -> None:
        """Calls `granted` once there is a place for the party (a pool)."""
        process, address = self._process, self._address
        if process is None:
            self._host.ask(party, granted)
        else:
            self._host.ask(party, lambda: process.ask(address, granted))

    def withdraw(self, party: Hashable) -> bool:
        """Takes a question back; False when it is too late, and `granted` will be called."""
        return self._host.withdraw(party)

    def leave(self, party: Hashable) -> None:
        """Gives a place back."""
        self._host.leave(party)
        if self._process is not None:
            self._process.leave(self._address)

    def wanted_from(self, party: Hashable) -> bool:
        """Whether the party should give a connection up, though it has work for it."""
        return self._host.wanted_from(party) or (
            self._process is not None and self._process.wanted_from(self._address)
        )

    def rest(self, session: Session, evict: Callable[[Session], None]) -> None:
        """A connection goes idle. When someone waits for a place, the oldest is closed."""
        for places in self._all:
            places.rest(session, evict)
        for places in self._all:
            places.make_room()

    def wake(self, session: Session) -> None:
        """An idle connection is in use again, or gone."""
        for places in self._all:
            places.wake(session)

    def answered(self, given: Pass) -> None:
        """The server answered a login, be it with a refusal."""
        if self.breaker.succeeded(given):
            log.info("database server answers again", host=self._name)

    def failed(self, given: Pass, reason: str) -> None:
        """The server did not answer a login."""
        if self.breaker.failed(given):
            self._note_open(reason)

    def lost(self, empresa_id: int | None) -> None:
        """A connection of that empresa broke while it was in use."""
        if self.breaker.lost(empresa_id):
            self._note_open("connections in use broke")

    def _note_open(self, reason: str) -> None:
        retry_after_s = round(self.breaker.retry_after_s, 1)
        log.warning("database server rests", host=self._name, wait_s=retry_after_s, reason=reason)

    @property
    def _name(self) -> str:
        return f"{self._address[0]}:{self._address[1]}"

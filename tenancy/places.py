"""Shares so many places between parties. Used by `tenancy.hosts`.

Who finds all taken gets the place of a connection that is idle, in whatever pool: so a pool in use
is never closed to make room. But the last connection of a party stays warm for a moment when the
other has one to work with: on a full server a busy empresa would otherwise make all others connect
anew for each use of theirs.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from tenancy.session import Session

Granted = Callable[[], None]
"""Called with the place already taken; who has no use for it by then calls `leave`."""
Later = Callable[[float, Callable[[], None]], object]
"""Has something called after so many seconds."""

WARM_S = 1.0
"""How long the last connection of a party is safe from those who have some."""


def _by_the_loop(delay_s: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(delay_s, call)


@dataclass(slots=True)
class _Idle:
    party: Hashable
    evict: Callable[[Session], None]
    since: float


class Places:
    """So many places, shared by parties in turn. Nothing in here waits or fails."""

    def __init__(
        self,
        budget: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Later = _by_the_loop,
    ) -> None:
        self.budget = budget
        self.taken = 0
        self._clock = clock
        self._later = later
        self._look_at = math.inf
        """When what waits is looked at again without a cause from outside."""
        self._held: Counter[Hashable] = Counter()
        self._asking: dict[Hashable, deque[Granted]] = {}
        """Who waits for places, the party whose turn is next first."""
        self._idle: dict[Session, _Idle] = {}
        """Oldest first."""

    @property
    def waiting(self) -> int:
        """Places that are waited for."""
        return sum(map(len, self._asking.values()))

    def ask(self, party: Hashable, granted: Granted) -> None:
        """Calls `granted` once there is a place: now, or at somebody's `leave`."""
        if self.taken >= self.budget:
            self._asking.setdefault(party, deque()).append(granted)
            self.make_room()
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
        if party in self._asking and not self._held[party]:
            self._look_again_at(self._clock())  # it has none by now, and may take a warm one

    def wanted_from(self, party: Hashable) -> bool:
        """Whether a party that has more to do should give up a place: another one has none, or at
        least two less. So neither starves, and places do not go to and fro for nothing."""
        following = self._next()
        if following is None or following == party:
            return False
        held = self._held[following]
        return not held or held + 2 <= self._held[party]

    def rest(self, party: Hashable, session: Session, evict: Callable[[Session], None]) -> None:
        """A connection goes idle; `evict` closes it and ends in `wake` and `leave`."""
        self._idle[session] = _Idle(party, evict, self._clock())

    def wake(self, session: Session) -> None:
        """An idle connection is in use again, or gone."""
        self._idle.pop(session, None)

    def make_room(self) -> None:
        """Closes an idle connection when someone waits for a place."""
        if self._asking and (following := self._next()) is not None:
            self._close_one_for(following)

    def _close_one_for(self, party: Hashable) -> bool:
        """The oldest that may go; a waiter is told of its place by the `leave` that comes of it."""
        has_some = self._held[party] > 0
        warm_since = self._clock() - WARM_S
        for session, idle in self._idle.items():
            if not has_some or self._held[idle.party] > 1 or idle.since <= warm_since:
                idle.evict(session)
                return True
        if self._idle:
            self._look_again_at(next(iter(self._idle.values())).since + WARM_S)
        return False

    def _look_again_at(self, when: float) -> None:
        if when < self._look_at:
            self._look_at = when
            self._later(max(0.0, when - self._clock()), self._look_again)

    def _look_again(self) -> None:
        self._look_at = math.inf
        while (following := self._next()) is not None and self._close_one_for(following):
            pass

    def _next(self) -> Hashable | None:
        """In turn, but who holds nothing comes before those who have something to work with."""
        if not self._asking:
            return None
        hungry = (party for party in self._asking if not self._held[party])
        return next(hungry, next(iter(self._asking)))

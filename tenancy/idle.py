"""The connections of a pool that nobody uses at the moment. Used by `tenancy.pool` alone.

Each of them has a place at its server's gate, which may close it when another empresa needs that.
"""

from __future__ import annotations

import random

from tenancy.hosts import HostGate
from tenancy.meter import Gone, HostMeter
from tenancy.session import Session

_MAX_AGE_S = 1800.0


class IdleStack:
    """The one used last comes first, so that the others grow old and go. Nothing here waits."""

    __slots__ = ("_gate", "_max_age_s", "_meter", "_owner", "_sessions")

    def __init__(self, owner: object, gate: HostGate, meter: HostMeter) -> None:
        """`owner`: the pool, as the gate knows it."""
        self._owner = owner
        self._gate = gate
        self._meter = meter
        self._sessions: list[Session] = []
        self._max_age_s = _MAX_AGE_S * random.uniform(0.8, 1.2)

    def __len__(self) -> int:
        return len(self._sessions)

    def too_old(self, session: Session, now: float) -> bool:
        """Whether a connection has served long enough."""
        return now - session.opened_at > self._max_age_s

    def put(self, session: Session, now: float) -> None:
        """Lays down a connection that is in order."""
        session.idle_since = now
        self._sessions.append(session)
        self._gate.rest(self._owner, session, self._stolen)

    def take(self) -> Session | None:
        """The one used last that is not known to be dead. Its place goes along."""
        while self._sessions:
            session = self._sessions.pop()
            self._gate.wake(session)
            if session.alive:
                return session
            self._close(session, Gone.BROKEN)
        return None

    def reap(self, idle_since: float) -> None:
        """Closes what has been idle since then or longer, or was closed by the server."""
        for session in [one for one in self._sessions if one.idle_since <= idle_since]:
            self._evict(session, Gone.IDLE)
        for session in [one for one in self._sessions if not one.alive]:
            self._evict(session, Gone.BROKEN)

    def clear(self, why: Gone) -> None:
        """Closes all."""
        for session in list(self._sessions):
            self._evict(session, why)

    def _stolen(self, session: Session) -> None:
        self._evict(session, Gone.STOLEN)

    def _evict(self, session: Session, why: Gone) -> None:
        self._sessions.remove(session)
        self._gate.wake(session)
        self._close(session, why)

    def _close(self, session: Session, why: Gone) -> None:
        self._meter.gone[why] += 1
        session.quit()
        self._gate.leave(self._owner)

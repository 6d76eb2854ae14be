"""The places and the breaker of one database server. Used by `tenancy.pool`.

All pools of a server share one gate. All gates of a process share a second bound, which works alike
between servers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

import structlog

from tenancy.breaker import SERVER, Breaker, Pass, State
from tenancy.places import Granted, Places
from tenancy.session import Session

log = structlog.get_logger()


class HostGate:
    """The places and the breaker of one server."""

    def __init__(
        self,
        places: Places,
        *,
        address: tuple[str, int] = ("", 0),
        process: Places | None = None,
    ) -> None:
        """`process`: the bound that this gate shares with those of all other servers."""
        self.breaker = Breaker(SERVER, clock=time.monotonic)
        self._address = address
        self._host = places
        self._process = process
        self._is_full = False

    @property
    def is_full(self) -> bool:
        """Whether the server rests only because it lets nobody else in."""
        return self._is_full and self.breaker.state is not State.CLOSED

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

    def rest(self, party: Hashable, session: Session, evict: Callable[[Session], None]) -> None:
        """A connection of the party goes idle. `evict` closes it, when someone waits for a place
        or will; it ends in `wake` and `leave`."""
        self._host.rest(party, session, evict)
        process = self._process
        if process is not None:
            process.rest(self._address, session, evict)
        self._host.make_room()
        if process is not None:
            process.make_room()

    def wake(self, session: Session) -> None:
        """An idle connection is in use again, or gone."""
        self._host.wake(session)
        if self._process is not None:
            self._process.wake(session)

    def answered(self, given: Pass) -> None:
        """The server answered a login, be it with a refusal."""
        if self.breaker.succeeded(given):
            log.info("database server answers again", host=self._name)

    def failed(self, given: Pass, reason: str, *, full: bool = False) -> None:
        """The server let nobody in; `full`: but those who are in may stay."""
        if self.breaker.failed(given):
            self._is_full = full
            self._note_open(reason)

    def lost(self, empresa_id: int | None) -> None:
        """A connection of that empresa broke while it was in use."""
        if self.breaker.lost(empresa_id):
            self._is_full = False
            self._note_open("connections in use broke")

    def _note_open(self, reason: str) -> None:
        retry_after_s = round(self.breaker.retry_after_s, 1)
        log.warning("database server rests", host=self._name, wait_s=retry_after_s, reason=reason)

    @property
    def _name(self) -> str:
        return f"{self._address[0]}:{self._address[1]}"

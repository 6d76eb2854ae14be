"""Asks both breakers, the server's and the empresa's, and tells them. Used by `tenancy.pool`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from schema.errors import HelixError
from tenancy.breaker import EMPRESA, Breaker, Pass, State
from tenancy.faults import Faults, TenantFault, Trouble, trouble_of
from tenancy.hosts import HostGate
from tenancy.session import Session

_NOT_IN = (Trouble.SERVER, Trouble.FULL, Trouble.LOST)
_PING_AFTER_S = 30.0
_INSIDE = Pass()
"""Good for a connection that is there already: no breaker honours it when it comes to a new one."""


@dataclass(frozen=True, slots=True)
class Passes:
    """Leave to use a database once, and to connect to its server if need be."""

    empresa: Pass
    server: Pass

    @property
    def is_probe(self) -> bool:
        """Whether a breaker learns from this use, so that it must reach the server."""
        return self.empresa.is_probe or self.server.is_probe

    def doubt(self, session: Session, now: float) -> bool:
        """Whether the server must be asked if it still knows an idle connection: after a long rest,
        and when a breaker waits for the answer."""
        return self.is_probe or now - session.idle_since >= _PING_AFTER_S


class Admission:
    """Of one pool. Nothing here but `connected` waits."""

    __slots__ = ("_faults", "_gate", "_usual", "breaker")

    def __init__(self, gate: HostGate, faults: Faults) -> None:
        self.breaker = Breaker(EMPRESA, clock=time.monotonic)
        """For what only this database is to blame for; whoever knows the registry trips it."""
        self._gate = gate
        self._faults = faults
        self._usual: Passes | None = None

    def admit(self, *, at_hand: bool) -> Passes:
        """Raises what `faults.on_hold` makes while a breaker is open: no I/O, no waiting.

        `at_hand`: the pool has an idle connection. It may be used while the server is only full.
        """
        empresa = self.breaker.admit()
        if empresa is None:
            raise self._refused()
        if at_hand and self._gate.is_full:
            return Passes(empresa, _INSIDE)
        server = self._gate.breaker.admit()
        if server is None:
            self.breaker.gave_up(empresa)
            raise self._on_hold("its server rests")
        usual = self._usual
        if usual is None or usual.empresa is not empresa or usual.server is not server:
            usual = self._usual = Passes(empresa, server)  # while nothing happens, always this one
        return usual

    def check(self, passes: Passes) -> None:
        """As `admit`, for someone who was admitted a while ago."""
        if not self.breaker.honours(passes.empresa):
            raise self._refused()
        if not self._gate.breaker.honours(passes.server):
            raise self._on_hold("its server rests")

    async def connected(
        self, passes: Passes, open_one: Callable[[], Awaitable[Session]]
    ) -> Session:
        """What `open_one` makes. Raises what it raises, or `on_hold` when that opened the server's
        breaker."""
        try:
            session = await open_one()
        except HelixError as error:
            if not isinstance(error, TenantFault) or error.trouble not in _NOT_IN:
                self._gate.answered(passes.server)
                raise
            self._gate.failed(passes.server, error.reason, full=error.trouble is Trouble.FULL)
            if self._gate.breaker.state is State.CLOSED:
                raise
            raise self._on_hold(error.reason) from error
        self.answered(passes)
        return session

    def answered(self, passes: Passes) -> None:
        """The database was reached."""
        self._gate.answered(passes.server)
        self.breaker.succeeded(passes.empresa)

    def ended(self, passes: Passes, error: BaseException) -> None:
        """It was not; what the breakers were told already counts."""
        self._gate.breaker.gave_up(passes.server)
        if trouble_of(error) is not Trouble.CONFIG:  # else the registry has the last word
            self.breaker.gave_up(passes.empresa)

    def _refused(self) -> HelixError:
        return self._faults.on_hold("its database was refused", self.breaker.retry_after_s)

    def _on_hold(self, reason: str) -> HelixError:
        return self._faults.on_hold(reason, self._gate.breaker.retry_after_s)

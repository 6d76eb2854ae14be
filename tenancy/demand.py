"""Who waits for a connection, and the places that are asked of the server's gate for them.
Used by `tenancy.pool` alone, one for each pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from tenancy.ceiling import Ceiling
from tenancy.hosts import HostGate
from tenancy.line import Line
from tenancy.session import Session


@dataclass(frozen=True, slots=True)
class Connect:
    """What a waiter is handed instead of a connection: leave to open one, already counted."""


_CONNECT = Connect()


class Pool(Hashable, Protocol):
    """Whose waiters they are, as the gate knows it."""

    @property
    def size(self) -> int:
        """Connections that have a place, `connecting` included."""


class Demand(Line[Session | Connect]):
    """A line that asks for a place for each who joins it. Nothing here waits: every count holds at
    every await of the pool."""

    __slots__ = ("_asked", "_ceiling", "_gate", "_pool", "connecting")

    def __init__(self, pool: Pool, gate: HostGate, ceiling: Ceiling) -> None:
        super().__init__()
        self._pool = pool
        self._gate = gate
        self._ceiling = ceiling
        self._asked = 0
        """Places that the gate was asked for and has not given yet."""
        self.connecting = 0
        """Connections that are being opened; each has its place."""

    def join(self) -> asyncio.Future[Session | Connect]:
        """A place at the end, with leave to connect as soon as the gate gives it."""
        waiter = super().join()
        self.ask()
        return waiter

    def step_out(self, waiter: asyncio.Future[Session | Connect]) -> None:
        """For a waiter that was cancelled before it was handed anything."""
        super().step_out(waiter)
        self._withdraw()

    def hand(self, waiter: asyncio.Future[Session | Connect], session: Session) -> None:
        """To the first one, a connection that came back in time: it needs no place of its own."""
        waiter.set_result(session)
        self._withdraw()

    def fail(self, error: Exception) -> None:
        """Sends all away."""
        super().fail(error)
        self._withdraw()

    def ask(self) -> None:
        """Asks the gate for a place for each waiter, as far as the limit allows."""
        most = self._ceiling.at(asyncio.get_running_loop().time())
        while self._pool.size + self._asked < most and self._asked < len(self):
            self._asked += 1
            self._gate.ask(self._pool, self._placed)

    def left(self) -> None:
        """A connection is gone, or was never opened: another may have its place."""
        self._gate.leave(self._pool)
        self.ask()

    def _placed(self) -> None:
        """The gate gives us a place: the first waiter opens a connection, counted from now on."""
        self._asked -= 1
        waiter = self.first()
        if waiter is None:
            self._gate.leave(self._pool)
        else:
            self.connecting += 1
            waiter.set_result(_CONNECT)

    def _withdraw(self) -> None:
        """Asks for no more places than there are waiters."""
        while self._asked > len(self) and self._gate.withdraw(self._pool):
            self._asked -= 1

"""Counts what happens at each database server. Written to all over the room; see `.figures`.

Plain numbers and no locks: lending a connection costs microseconds, and counting must not double
that. One process has one of these per server, for as long as it lives.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from tenancy.target import Target

BOUNDS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0)


class Gone(StrEnum):
    """Why a connection was closed."""

    STOLEN = "stolen"
    """Idle, and its place was needed for another empresa."""
    IDLE = "idle"
    """Idle for too long, or closed by the server meanwhile."""
    AGE = "age"
    CHANGED = "changed"
    """The registry names another database or password by now."""
    BROKEN = "broken"
    """Cut, dead, or left in a state that no one else may see."""
    SHARED = "shared"
    """Given up by a busy empresa for one that has none."""


@dataclass(slots=True)
class Times:
    """How long something took, as a histogram."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, took_s: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS_S, took_s)] += 1
        self.total_s += took_s


@dataclass(slots=True)
class HostMeter:
    """Everything only rises."""

    reused: int = 0
    """Acquires that found an idle connection: they took no time worth measuring."""
    waited: Times = field(default_factory=Times)
    """Acquires that had to wait or connect, failed ones too."""
    connected: Times = field(default_factory=Times)
    gone: Counter[Gone] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    """By what became of them: killed, ended (by itself), failed, skipped."""
    statement_timeouts: int = 0
    commits_unknown: int = 0


@dataclass(slots=True)
class ProcessMeter:
    """What belongs to no server."""

    reloads: Counter[str] = field(default_factory=Counter)
    """Rows read again, by cause: announced, compared, refused (a login was)."""
    mismatches: int = 0
    """Registry rows that led to another dealer's database; one is one too many."""


PROCESS = ProcessMeter()
_HOSTS: dict[tuple[str, int], HostMeter] = {}


def host_meter(address: tuple[str, int]) -> HostMeter:
    """That of a server; the installation names only so many."""
    return _HOSTS.setdefault(address, HostMeter())


def meter_of(target: Target) -> HostMeter:
    """That of a database's server."""
    return host_meter(target.address)

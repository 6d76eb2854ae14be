"""Holds migrations back that copy tables. Used by `tenancy.fleet.run`.

A copied table takes no writes meanwhile, and its server's disk is busy: so one dealer of a server
at a time, and nobody before a canary has shown how it goes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schema.errors import MigrationFailed
from schema.guards import MigrationConnection
from schema.migrator import Migrator
from schema.steps import Kind, versions
from tenancy.fleet.hosts import Address
from tenancy.fleet.values import Outcome, State, Wave

_PER_HOST = 1
_PROOFS = frozenset({Wave.CANARY, Wave.SINGLE})
"""Dealers whom somebody chose by name."""


class MigrationUnproved(MigrationFailed):
    """Nothing was done: it copies tables, and no canary of the run has gone through it."""

    def __init__(self, migration: str) -> None:
        super().__init__(
            f"migration {migration} copies tables and no canary has gone through it; "
            "`helix empresa canary ID on` for a dealer with many rows"
        )


class Heavy:
    """What one run knows of them. `proved`: a canary of the run is migrated already."""

    def __init__(self, *, proved: bool = False) -> None:
        self._proved = proved
        self._places: defaultdict[Address, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_PER_HOST)
        )

    def note(self, outcome: Outcome) -> None:
        """A canary that went through opens the way for the others."""
        if outcome.wave is Wave.CANARY and outcome.state is State.DONE:
            self._proved = True

    @asynccontextmanager
    async def turn(
        self, conn: MigrationConnection, address: Address, wave: Wave
    ) -> AsyncIterator[None]:
        """For the block, whatever the selected database lacks may be applied to it.

        Raises MigrationUnproved, and what `Migrator.missing_steps` raises.
        """
        name = await _lacks(conn)
        if name is None:
            yield
            return
        if not self._proved and wave not in _PROOFS:
            raise MigrationUnproved(name)
        async with self._places[address]:
            yield


async def _lacks(conn: MigrationConnection) -> str | None:
    """The first heavy migration that a database lacks. A release without any asks nothing."""
    known = versions(Kind.TENANT)
    if not any(version.heavy for version in known):
        return None
    missing = await Migrator(conn, known).missing_steps()
    heavy = (version for version, _ in missing if version.heavy)
    first = next(heavy, None)
    return None if first is None else f"{first.number:04}_{first.name}"

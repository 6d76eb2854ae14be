"""Writes what happens into the ledger, many dealers a statement. Used by `tenancy.fleet.run`."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tenancy.fleet.ledger import Ledger
from tenancy.fleet.values import Outcome

_GATHER_S = 0.1
"""How far the ledger may be behind, and how often it is written at most."""


class Scribe:
    """Writes while more comes in: one connection, and nobody waits for it."""

    def __init__(self, ledger: Ledger, run: int) -> None:
        self._ledger = ledger
        self._run = run
        self._began: list[int] = []
        self._outcomes: list[Outcome] = []
        self._news = asyncio.Event()
        self._closed = asyncio.Event()

    def began(self, empresa_id: int) -> None:
        """Somebody is at it."""
        self._began.append(empresa_id)
        self._news.set()

    def came_out(self, outcome: Outcome) -> None:
        """It is over."""
        self._outcomes.append(outcome)
        self._news.set()

    def close(self) -> None:
        """Nothing more comes: `write` ends when all is written."""
        self._closed.set()
        self._news.set()

    async def write(self) -> None:
        """Until `close`. What comes within `_GATHER_S` is written together: else each dealer is two
        commits of the central database. Raises CentralUnavailable: without the ledger's lock nobody
        may go on."""
        while not self._closed.is_set() or self._began or self._outcomes:
            await self._news.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), _GATHER_S)
            self._news.clear()
            began, self._began = self._began, []
            outcomes, self._outcomes = self._outcomes, []
            await self._ledger.began(self._run, began)
            await self._ledger.came_out(self._run, outcomes)
            if self._closed.is_set():
                self._news.set()

"""Backs up all dealers who are due. Used by `helix empresa backup-due`, which workers start.

Few at a time: so many on one database server, so many on all. A dealer whose backup fails costs
the others nothing; his turn comes again half an hour later. What was killed in the middle is gone
on with by the next round.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from schema.errors import HelixError, TryAgain
from tenancy.life.backup import back_up
from tenancy.life.expiry import expire
from tenancy.life.schedule import Dealer, due
from tenancy.life.settings import BackupSettings
from tenancy.life.tools import Tools

OpenTools = Callable[[], AbstractAsyncContextManager[Tools]]
"""Tools serve one dealer at a time: each place of a round has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one dealer. `backup` None: it failed, and `error` says why."""

    empresa_id: int
    backup: str | None
    expired: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run over all who are due."""

    settings: BackupSettings
    open_tools: OpenTools
    zone: tzinfo
    now: Callable[[], datetime]
    told: Callable[[Outcome], None] = lambda _outcome: None

    async def run(self) -> list[Outcome]:
        """In the order of their ends. Raises CentralUnavailable."""
        async with self.open_tools() as tools:
            waiting = await due(tools.central, self.settings, self.now(), self.zone)
        turns, outcomes = _Turns(waiting, self.settings.per_host), list[Outcome]()
        async with asyncio.TaskGroup() as group:
            for number in range(min(self.settings.at_once, len(waiting))):
                group.create_task(self._place(turns, outcomes), name=f"backups-{number}")
        return outcomes

    async def _place(self, turns: _Turns, outcomes: list[Outcome]) -> None:
        async with self.open_tools() as tools:
            while True:
                async with turns.next() as dealer:
                    if dealer is None:
                        return
                    outcome = await self._one(tools, dealer.empresa_id)
                if outcome is not None:
                    outcomes.append(outcome)
                    self.told(outcome)

    async def _one(self, tools: Tools, empresa_id: int) -> Outcome | None:
        """None: somebody else has done it meanwhile, or is at work on him."""
        try:
            async with tools.ledger.alone(empresa_id):
                return await self._alone(tools, empresa_id)
        except TryAgain:
            return None  # he is being moved or backed up; the next round looks again

    async def _alone(self, tools: Tools, empresa_id: int) -> Outcome | None:
        still = await due(tools.central, self.settings, self.now(), self.zone, only=empresa_id)
        if not still:
            return None
        try:
            made = await back_up(tools, empresa_id)
        except HelixError as error:
            return Outcome(empresa_id=empresa_id, backup=None, error=str(error))
        try:
            gone = await expire(tools, empresa_id, self.settings, self.now(), self.zone)
        except HelixError as error:
            told = f"older backups were not deleted: {error}"
            return Outcome(empresa_id=empresa_id, backup=made.name, error=told)
        return Outcome(empresa_id=empresa_id, backup=made.name, expired=len(gone))


@dataclass(slots=True)
class _Turns:
    """Gives out dealers in order, leaving those out whose server has its share of work."""

    waiting: list[Dealer]
    per_host: int
    _busy: Counter[tuple[str, int]] = field(default_factory=Counter)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Dealer | None]:
        """A dealer, whose server has one place less during the block. None: no more."""
        async with self._changed:
            while (dealer := self._free()) is None and self.waiting:
                await self._changed.wait()
            if dealer is not None:
                self.waiting.remove(dealer)
                self._busy[dealer.host, dealer.port] += 1
        try:
            yield dealer
        finally:
            async with self._changed:
                if dealer is not None:
                    self._busy[dealer.host, dealer.port] -= 1
                self._changed.notify_all()

    def _free(self) -> Dealer | None:
        return next(
            (one for one in self.waiting if self._busy[one.host, one.port] < self.per_host), None
        )

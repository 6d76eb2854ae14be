"""Imports again whenever a dealer's file changes, on disk or at an address. Called by the CLI.

A file is taken only when it has stood still between two looks, an address only when its body came
whole; so half a file is never imported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from schema.errors import HelixError, Permanent
from worker.stock.address import Address, NotNow, Seen
from worker.stock.files import StockFile, read_file
from worker.stock.reading import BadFile
from worker.stock.values import Action, Outcome

log = structlog.get_logger()

_ENDINGS = frozenset(
    {".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".json", ".sql"}
)
_RETRY_S = 60.0
"""After a failure of ours or of the way; a person's next look at an address may be hours away."""

Import = Callable[[StockFile], Awaitable[Outcome]]
NoteFailed = Callable[[str, str], Awaitable[None]]
Wait = Callable[[float], Awaitable[object]]


class Source(Protocol):
    """Where files come from."""

    origin: str

    async def look(self) -> StockFile | None:
        """A file that is not settled yet. Raises BadFile, NotNow."""

    def settle(self) -> None:
        """The file of the last look was dealt with: it is not given again."""


class Disk:
    """A file, or the newest stock file of a folder; older ones there are history."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.origin = path.name
        self._before: tuple[Path, int, int] | None = None
        self._settled: tuple[Path, int, int] | None = None

    async def look(self) -> StockFile | None:
        """The file, if it is the same as at the last look and was not dealt with."""
        mark = await asyncio.to_thread(self._mark)
        still, self._before = mark == self._before, mark
        if mark is None or not still or mark == self._settled:
            return None
        file = await asyncio.to_thread(read_file, mark[0])
        if await asyncio.to_thread(self._mark) != mark:
            self._before = None
            return None
        return file

    def settle(self) -> None:
        """Until its time or size change."""
        self._settled = self._before

    def _mark(self) -> tuple[Path, int, int] | None:
        try:
            paths = list(self._path.iterdir()) if self._path.is_dir() else [self._path]
        except OSError:
            return None
        marks = []
        for path in paths:
            if path != self._path and (path.name[0] in ".~" or path.suffix.lower() not in _ENDINGS):
                continue  # what Excel and browsers put beside a file that is open or on its way
            try:
                stat = path.stat()
            except OSError:  # it was taken away meanwhile
                continue
            if path.is_file():
                marks.append((stat.st_mtime_ns, path, stat.st_size))
        if not marks:
            return None
        newest, path, size = max(marks)
        return path, newest, size


class Web:
    """A file at an address."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.origin = address.origin
        self._seen = Seen()
        self._next = Seen()

    async def look(self) -> StockFile | None:
        """The file, unless the server says that it has not changed since it was dealt with."""
        found = await self._address.fetch(self._seen)
        if found is None:
            return None
        file, self._next = found
        return StockFile(name=self.origin, data=file.data)

    def settle(self) -> None:
        """Until the server has another."""
        self._seen = self._next


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks at a source for ever. What goes wrong in one look is logged and tried again."""

    source: Source
    every_s: float
    take: Import
    note_failed: NoteFailed
    wait: Wait = asyncio.sleep

    async def run(self) -> None:
        """Ends only by being cancelled, or with a Permanent error of the dealer's database."""
        while True:
            await self.wait(await self.look())

    async def look(self) -> float:
        """One look; returns how long to wait for the next. Raises Permanent."""
        try:
            file = await self.source.look()
            if file is not None:
                outcome = await self.take(file)
                self.source.settle()
                _tell(self.source.origin, outcome)
        except (BadFile, NotNow) as error:
            log.warning("stock not fetched", origin=self.source.origin, why=str(error))
            await self._note(str(error))
            return min(self.every_s, _RETRY_S) if isinstance(error, NotNow) else self.every_s
        except Permanent:
            raise
        except HelixError as error:
            log.warning("stock import later", origin=self.source.origin, why=str(error))
            return min(self.every_s, _RETRY_S)
        return self.every_s

    async def _note(self, why: str) -> None:
        try:
            await self.note_failed(self.source.origin, why)
        except HelixError as error:
            log.warning("stock log not written", origin=self.source.origin, why=str(error))


def _tell(origin: str, outcome: Outcome) -> None:
    counts: dict[str, int] = {}
    if outcome.plan is not None:
        counts = {action.name.lower(): outcome.plan.count(action) for action in Action}
    if outcome.why_not is None:
        log.info("stock imported", origin=origin, **counts)
    else:
        log.error("stock refused", origin=origin, why=outcome.why_not, **counts)

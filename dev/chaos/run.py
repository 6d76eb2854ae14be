"""A run from the first buyer to the last count. Called by `__main__` and by the tests."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dev.chaos.books import is_at_rest, read_book
from dev.chaos.buyers import Buyers
from dev.chaos.count import count
from dev.chaos.fleet import Fleet, running
from dev.chaos.ground import Ground, prepared
from dev.chaos.logs import write_logs
from dev.chaos.plan import plan
from dev.chaos.recovery import Recovery, percentile, recoveries, waits
from dev.chaos.report import Report
from dev.chaos.sizes import Shape
from dev.chaos.strike import Striker
from dev.chaos.window import Windows
from dev.servers import MariadbServer, RedisServer

_LOOK_S = 1.0


@dataclass(slots=True)
class Progress:
    """Where a run stands, for the screen."""

    stage: str = "opening the dealers"
    seconds: float = 0.0
    written: int = 0
    reached: int = 0
    """Messages of ours on buyers' phones."""
    faults: int = 0
    going_on: Sequence[str] = field(default_factory=tuple)


Show = Callable[[Progress], None]


async def chaos(
    shape: Shape,
    mariadb: MariadbServer,
    redis: RedisServer,
    *,
    seed: int,
    seconds: float,
    logs: Path,
    show: Show = lambda _progress: None,
) -> Report:
    """Faults for so many seconds, then rest, then the count. `logs`: a folder for the processes'
    logs and for what was found, written anew."""
    show(Progress())
    with tempfile.TemporaryDirectory() as files, ThreadPoolExecutor(max_workers=2) as hands:
        async with prepared(shape, mariadb, redis, seed=seed) as ground:
            async with running(ground, files=files) as fleet:
                run = _Run(ground, fleet, Striker(ground, fleet, hands), seed, show)
                try:
                    await run.under_faults(seconds)
                    settled_s = await run.settle()
                    report = await run.count()
                finally:
                    write_logs(logs, fleet, run.striker.struck, run.recovered)
            report.settled_s, report.seed = round(settled_s, 1), seed
            return report


class _Run:
    def __init__(
        self, ground: Ground, fleet: Fleet, striker: Striker, seed: int, show: Show
    ) -> None:
        self._ground, self._fleet, self.striker, self._show = ground, fleet, striker, show
        self.recovered: list[Recovery] = []
        self._seed = seed
        self._buyers = [Buyers(dealer, seed=seed) for dealer in ground.dealers]
        self._started = time.monotonic()

    async def under_faults(self, seconds: float) -> None:
        """Buyers write all the time; returns when they have stopped and all faults have ended."""
        shape, end = self._ground.shape, asyncio.Event()
        async with asyncio.TaskGroup() as group:
            screen = group.create_task(self._tell("faults"))
            for buyers in self._buyers:
                for _ in range(shape.talks):
                    group.create_task(buyers.talk_until(end))
            await self.striker.run(plan(self._seed, seconds, shape))
            await asyncio.sleep(max(0.0, seconds - (time.monotonic() - self._started)))
            end.set()
            screen.cancel()
        for dealer in self._ground.dealers:
            dealer.phone.trouble = None
            dealer.phone.forget_faults()

    async def settle(self) -> float:
        """Seconds until nothing is left to be done; the limit when something is."""
        begun = time.monotonic()
        limit_s = self._ground.shape.settle_s
        screen = asyncio.create_task(self._tell("settling"))
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    if await self._is_at_rest():
                        return time.monotonic() - begun
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            return limit_s
        finally:
            screen.cancel()

    async def _is_at_rest(self) -> bool:
        server = self._ground.mariadb.access
        pairs = zip(self._ground.dealers, self._buyers, strict=True)
        return all([await is_at_rest(server, d, buyers.written) for d, buyers in pairs])

    async def count(self) -> Report:
        """From the databases and the phones."""
        struck, server = self.striker.struck, self._ground.mariadb.access
        report, waited = Report(), list[float]()
        prices = frozenset(dealer.price for dealer in self._ground.dealers)
        for dealer, buyers in zip(self._ground.dealers, self._buyers, strict=True):
            book = await read_book(server, dealer, buyers.written)
            report.add(count(book, Windows.of(struck, dealer.id), prices=prices))
            self.recovered += recoveries(book, struck)
            waited += waits(book)
        times = [recovery.seconds for recovery in self.recovered]
        report.recovery_p99_s = round(percentile(times, 0.99), 2)
        report.waited_p99_s = round(percentile(waited, 0.99), 2)
        report.faults = len(struck)
        report.surprises, report.deaf = self._fleet.surprises, self._fleet.deaf
        return report

    async def _tell(self, stage: str) -> None:
        while True:
            dealers = self._ground.dealers
            self._show(
                Progress(
                    stage=stage,
                    seconds=time.monotonic() - self._started,
                    written=sum(len(buyers.written) for buyers in self._buyers),
                    reached=sum(len(dealer.phone.outbox) for dealer in dealers),
                    faults=len(self.striker.struck),
                    going_on=[" ".join(kind) for kind in self.striker.going_on],
                )
            )
            await asyncio.sleep(_LOOK_S)

"""Carries out the faults of a plan and keeps what truly happened, with times. Called by `run`."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from dev.chaos.fleet import Fleet, Place
from dev.chaos.ground import Dealer, Ground
from dev.chaos.plan import Fault, How, Kind, Whom
from dev.chaos.proxy import Proxy
from dev.servers import MariadbServer, RedisServer

_SLOW_S = 0.15
"""Each way, for each piece: a statement takes 0.3 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A fault that happened. Unix seconds; `until` is when all was there again."""

    kind: Kind
    since: float
    until: float
    empresas: frozenset[int]
    """Whom it could touch."""


@dataclass(slots=True)
class Striker:
    """One per run. Faults of one target never overlap: the later one is left out."""

    ground: Ground
    fleet: Fleet
    hands: ThreadPoolExecutor
    """Starts servers. They die with the thread that started them, so it must outlive them."""
    struck: list[Struck] = field(default_factory=list)
    going_on: list[Kind] = field(default_factory=list)
    left_out: int = 0
    _busy: set[tuple[Whom, int]] = field(default_factory=set)

    async def run(self, faults: Sequence[Fault]) -> None:
        """All of them at their times; returns when the last has ended and all is up again."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(start + fault.at_s - loop.time())
                group.create_task(self._strike(fault), name=" ".join(fault.kind))
        await self.fleet.all_ready()

    async def _strike(self, fault: Fault) -> None:
        target = (fault.kind.whom, fault.target)
        if target in self._busy:
            self.left_out += 1
            return
        self._busy.add(target)
        await self._is_there(fault)
        self.going_on.append(fault.kind)
        since = time.time()
        await self._do(fault)
        self._busy.discard(target)
        self.going_on.remove(fault.kind)
        self.struck.append(
            Struck(kind=fault.kind, since=since, until=time.time(), empresas=self._touched(fault))
        )

    async def _is_there(self, fault: Fault) -> None:
        """What is just being started is struck when it is up."""
        if fault.kind.whom is Whom.WORKER:
            await self.fleet.workers[fault.target].is_ready()
        if fault.kind.whom is Whom.WEB:
            await self.fleet.webs[fault.target].is_ready()

    async def _do(self, fault: Fault) -> None:
        """Returns when it has been undone."""
        ground, fleet, target = self.ground, self.fleet, fault.target
        match fault.kind.whom:
            case Whom.WORKER:
                await _process(fleet.workers[target], fault)
            case Whom.WEB:
                await _process(fleet.webs[target], fault)
            case Whom.MARIADB:
                await self._server(ground.mariadb, fault)
            case Whom.REDIS:
                await self._server(ground.redis, fault)
            case Whom.TO_REDIS:
                await _cut(fleet.places[target].redis, fault)
            case Whom.TO_CENTRAL:
                await _cut(fleet.places[target].central, fault)
            case Whom.TO_HOST:
                await _cut(ground.hosts[target], fault)
            case Whom.GATEWAY:
                await _gateway(ground.dealers[target], fault)

    def _touched(self, fault: Fault) -> frozenset[int]:
        dealers = self.ground.dealers
        if fault.kind.whom is Whom.GATEWAY:
            return frozenset({dealers[fault.target].id})
        if fault.kind.whom is Whom.TO_HOST:
            return frozenset(dealer.id for dealer in dealers if dealer.host == fault.target)
        return frozenset(dealer.id for dealer in dealers)

    async def _server(self, server: MariadbServer | RedisServer, fault: Fault) -> None:
        if fault.kind.how is How.FREEZE:
            if server.pid is not None:
                async with _frozen(server.pid):
                    await asyncio.sleep(fault.lasts_s)
            return
        end = server.kill if fault.kind.how is How.KILL else server.stop
        await self._by_hand(end)
        await asyncio.sleep(fault.lasts_s)
        await self._by_hand(server.start)

    async def _by_hand(self, deed: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.hands, deed)


@asynccontextmanager
async def _frozen(pid: int) -> AsyncIterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _process(place: Place, fault: Fault) -> None:
    pid = place.pid
    if pid is None:
        return
    if fault.kind.how is How.FREEZE:
        async with _frozen(pid):
            await asyncio.sleep(fault.lasts_s)
        return
    await place.end(
        signal.SIGKILL if fault.kind.how is How.KILL else signal.SIGTERM, pause_s=fault.lasts_s
    )
    await place.is_ready()


async def _cut(way: Proxy, fault: Fault) -> None:
    match fault.kind.how:
        case How.HOLE:
            way.hole()
        case How.RESET:
            way.reset()
        case _:
            way.delay(_SLOW_S)
    try:
        await asyncio.sleep(fault.lasts_s)
    finally:
        way.heal()


async def _gateway(dealer: Dealer, fault: Fault) -> None:
    """Slow: answers take half the time that a send may take. Sick: every second send fails."""
    phone = dealer.phone
    usual = phone.trouble
    if usual is None:
        raise RuntimeError("a phone without trouble has nothing to get back to")
    if fault.kind.how is How.SLOW:
        phone.answer_delay_s = min(2.0, fault.lasts_s / 2)
    else:
        phone.trouble = replace(usual, failed=0.5, lost=0.1, cut=0.1)
    try:
        await asyncio.sleep(fault.lasts_s)
    finally:
        phone.answer_delay_s, phone.trouble = 0.0, usual

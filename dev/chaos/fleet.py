"""The product's processes, each started again whenever it ends. Called by `run` and `strike`.

As a service manager would: a process that ends by itself is started again, too, and counted.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from dev.chaos.ground import Ground
from dev.chaos.proxy import HOST, Address, Proxy, Targets
from dev.stack import NotStarted, Process, Stack, running_stack

_READY_S = 60.0
_AGAIN_S = 0.3
_ENDS_S = 20.0
"""A process that was told to stop ends within its grace time, 10 s, and a second."""


@dataclass(slots=True)
class Place:
    """Where one process of the fleet runs, one after the other."""

    name: str
    """`web` or `worker`, as the stack calls it."""
    stack: Stack
    redis: Proxy
    central: Proxy
    environment: dict[str, str]
    process: Process | None = None
    address: Address | None = None
    """Of a web process that is ready."""
    pause_s: float = _AGAIN_S
    """Until the next one is started."""
    wanted_end: bool = False
    """The end of this process is our doing."""
    surprises: int = 0
    """Processes that were ready and ended by themselves."""
    deaf: int = 0
    """Processes that were told to stop and had to be killed."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self) -> None:
        """One process after the other, until cancelled."""
        while True:
            process = await self.stack.start(self.name, [self.name], self.environment)
            self.process = process
            try:
                line = await process.wait_for(f"{self.name} ready", timeout_s=_READY_S)
            except NotStarted:
                await process.stop()
            else:
                self._is_ready(line)
                await process.child.wait()
                self.surprises += not self.wanted_end
            self.ready.clear()
            self.address = None
            pause_s, self.pause_s, self.wanted_end = self.pause_s, _AGAIN_S, False
            await asyncio.sleep(pause_s)

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None when none does."""
        if self.process is None or self.process.child.returncode is not None:
            return None
        return self.process.pid

    async def end(self, number: signal.Signals, *, pause_s: float) -> None:
        """Ends the process by a signal and waits; the next one comes `pause_s` later."""
        process = self.process
        if process is None or self.pid is None:
            return
        self.wanted_end, self.pause_s = True, pause_s
        self.ready.clear()
        process.child.send_signal(number)
        try:
            async with asyncio.timeout(_ENDS_S):
                await process.child.wait()
        except TimeoutError:
            self.deaf += 1
            process.kill()
            await process.child.wait()

    async def is_ready(self) -> None:
        """Waits for it. Raises TimeoutError: then this place is of no use any more."""
        async with asyncio.timeout(_READY_S):
            await self.ready.wait()

    def _is_ready(self, line: dict[str, object]) -> None:
        if self.name == "web":
            port = str(line["address"]).rpartition(":")[2]
            self.address = (HOST, int(port))
        self.ready.set()


@dataclass(slots=True)
class Fleet:
    """All processes, and the way to the webs that gateways know."""

    workers: Sequence[Place]
    webs: Sequence[Place]
    front: Proxy
    stack: Stack

    @property
    def places(self) -> Sequence[Place]:
        """Workers, then webs."""
        return (*self.workers, *self.webs)

    @property
    def surprises(self) -> int:
        """Processes that ended by themselves after they had been ready."""
        return sum(place.surprises for place in self.places)

    @property
    def deaf(self) -> int:
        """Processes that did not end when they were told to."""
        return sum(place.deaf for place in self.places)

    async def all_ready(self) -> None:
        """Returns once each place has a process that is ready. Raises TimeoutError."""
        await asyncio.gather(*(place.is_ready() for place in self.places))


@asynccontextmanager
async def running(ground: Ground, *, files: str) -> AsyncIterator[Fleet]:
    """A fleet that is ready; stopped at the end. `files`: a folder for buyers' files."""
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(running_stack({"MEDIA_STORE": files}))
        names = ["worker"] * ground.shape.workers + ["web"] * ground.shape.webs
        places = [await _place(name, ground, stack, exits) for name in names]
        workers, webs = places[: ground.shape.workers], places[ground.shape.workers :]
        front = await exits.enter_async_context(Proxy(_in_turn(webs)))
        for dealer in ground.dealers:
            dealer.phone.webhook_url = f"http://{HOST}:{front.port}{dealer.phone.webhook_url}"
        fleet = Fleet(workers, webs, front, stack)
        keepers = [asyncio.create_task(place.keep(), name=place.name) for place in places]
        try:
            await fleet.all_ready()
            yield fleet
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)


async def _place(name: str, ground: Ground, stack: Stack, exits: AsyncExitStack) -> Place:
    redis = await exits.enter_async_context(ground.at_redis())
    central = await exits.enter_async_context(ground.at_mariadb())
    environment = ground.environment(central=central, redis=redis)
    environment |= {"PORT": "0"} if name == "web" else {}
    return Place(name, stack, redis, central, environment)


def _in_turn(webs: Sequence[Place]) -> Targets:
    """As a load balancer does: round and round, past those that refuse."""
    asked = 0

    def targets() -> list[Address]:
        nonlocal asked
        asked += 1
        known = [place.address for place in webs if place.address is not None]
        first = asked % max(1, len(known))
        return [*known[first:], *known[:first]]

    return targets

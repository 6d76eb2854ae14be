"""How long others wait while one dealer has a backlog: `python -m bench.fairness`.

Twenty dealers get 50 messages a second between them, each of a new buyer; measured is the time from
the push to the committed reply, first alone, then beside a dealer with 50,000 waiting messages.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import uvloop
from redis.asyncio import Redis

from bench.contest import get_ready, pipes, started
from bench.contestants import helix
from bench.ground import Ground, channel_of, prepared
from bench.load import phone_of
from dev.servers import running
from schema.events import Event, EventKind
from tenancy.names import database_of
from worker.queue.inbox import Inbox

_BACKLOG = 50_000
_BUYERS_WAITING = 500
_PER_SECOND = 50
_SECONDS = int(os.environ.get("FAIR_SECONDS", "20"))
_WORKERS = 2
_LOOK_EVERY_S = 0.02
_ANSWERED = """
    SELECT DISTINCT r.external_id FROM mensagens r
      JOIN mensagens s ON s.conversation_id = r.conversation_id AND s.tipo = 'enviada'
     WHERE r.external_id IN ({})
"""


@dataclass(slots=True)
class Watch:
    """One dealer's messages that are not yet answered, and how long the others took."""

    ground: Ground
    empresa_id: int
    open: dict[str, float] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def look_for_ever(self) -> None:
        """On a connection of its own."""
        database = database_of(self.empresa_id)
        async with self.ground.mariadb.connect(database) as connection:
            await connection.autocommit(True)
            async with connection.cursor() as cursor:
                while True:
                    await asyncio.sleep(_LOOK_EVERY_S)
                    if self.open:
                        marks = ", ".join(["%s"] * len(self.open))
                        await cursor.execute(_ANSWERED.format(marks), tuple(self.open))
                        now = time.monotonic()
                        for (external_id,) in await cursor.fetchall():
                            self.took_s.append(now - self.open.pop(external_id))
                        if not self.open:
                            self.idle.set()


def _event(empresa_id: int, buyer: int, number: int) -> Event:
    phone = phone_of(buyer)
    return Event(
        kind=EventKind.TEXT,
        message_id=f"wamid.fair.{empresa_id}.{number}",
        phone=phone,
        channel=channel_of(empresa_id),
        text="oi, tem onix até 70 mil?",
        timestamp=int(time.time()),
        from_me=False,
        gateway="cloud_api",
        reply_to=phone,
    )


async def _drip(watches: Sequence[Watch], inbox: Inbox, start: int) -> list[float]:
    """The light load; how long each of its messages took."""
    for watch in watches:
        watch.took_s.clear()
    looking = [asyncio.create_task(watch.look_for_ever()) for watch in watches]
    began = time.monotonic()
    for number in range(_PER_SECOND * _SECONDS):
        await asyncio.sleep(max(0.0, began + number / _PER_SECOND - time.monotonic()))
        watch = watches[number % len(watches)]
        event = _event(watch.empresa_id, start + number, start + number)
        watch.open[event.message_id or ""] = time.monotonic()
        watch.idle.clear()
        await inbox.push(watch.empresa_id, [event])
    async with asyncio.timeout(60):
        await asyncio.gather(*(watch.idle.wait() for watch in watches))
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    return sorted(took for watch in watches for took in watch.took_s)


@asynccontextmanager
async def _workers(ground: Ground) -> AsyncIterator[None]:
    """Killed in the middle of the backlog, whose end nobody waits for."""
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(
                started(ground, helix("lucas").command, WORKER_MARK_READ="false")
            )
            for _ in range(_WORKERS)
        ]
        for process in processes:
            await get_ready(process)
        for process in processes:
            pipes(process)[0].write(b"go\n")
        yield


def _show(name: str, took_s: Sequence[float]) -> float:
    p50, p99 = (took_s[int(len(took_s) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{name:<17} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   of {len(took_s)} messages")
    return p99


async def main() -> None:
    """Prints both, and how much longer others wait."""
    with running() as servers:
        async with prepared(servers, empresas=21) as ground:
            big, *others = ground.empresa_ids
            watches = [Watch(ground, empresa_id) for empresa_id in others]
            async with Redis.from_url(ground.redis_url) as redis, _workers(ground):
                inbox = Inbox(redis)
                await _drip(watches, inbox, 10_000_000)  # connections, caches
                alone = _show("alone", await _drip(watches, inbox, 20_000_000))
                events = [_event(big, n % _BUYERS_WAITING, n) for n in range(_BACKLOG)]
                for first in range(0, _BACKLOG, 500):
                    await inbox.push(big, events[first : first + 500])
                beside = _show("beside a backlog", await _drip(watches, inbox, 30_000_000))
                left = await inbox.depth(big)
                print(f"p99: {beside / alone:.2f} times that of before; {left} of it are left")


if __name__ == "__main__":
    uvloop.run(main())

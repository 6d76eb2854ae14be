"""The queue of each contestant: how it is filled, and when it is empty. Called by `bench.contest`.

A queue forgets a message only after its commit, so an empty one means that all is in the databases.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from arq.connections import ArqRedis

from bench.ground import Ground
from bench.load import Block, rounds
from bench.node_program import feed
from bench.sizes import Shape
from schema.events import Event
from worker.queue.inbox import Inbox, as_json
from worker.queue.keys import QUEUE, inbox

ARQ_JOB = "handle_message"
BULLMQ = "messages"
"""The name of the queue of the rival in Node."""
UNCOMMITTED = "bench:uncommitted"
"""How many messages the loop without a queue has not committed; it says so once, at its end."""
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Queue(ABC):
    """Of one contestant, in the Redis database of the ground."""

    ground: Ground
    redis: ArqRedis

    @abstractmethod
    async def fill(self, shape: Shape) -> None:
        """Puts all messages in, in order for each buyer."""

    @abstractmethod
    async def left(self) -> int:
        """How many messages are not yet committed."""


class InboxQueue(Queue):
    """The product's: an inbox for each empresa."""

    async def fill(self, shape: Shape) -> None:
        """As the webhook does it, one by one."""
        way_in = Inbox(self.redis)
        await way_in.register()

        async def put(empresa_id: int, event: Event) -> None:
            await way_in.push(empresa_id, [event])

        await _fill(put, self.ground, shape)

    async def left(self) -> int:
        """Entries of all inboxes."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for empresa_id in self.ground.empresa_ids:
                pipe.xlen(inbox(empresa_id))
            return sum(await pipe.execute())


class ArqQueue(Queue):
    """One arq job per message; its id is the message's, so that arq drops what comes twice."""

    async def fill(self, shape: Shape) -> None:
        """One by one."""

        async def put(empresa_id: int, event: Event) -> None:
            await enqueue(self.redis, empresa_id, event)

        await _fill(put, self.ground, shape)

    async def left(self) -> int:
        """Jobs that are not done."""
        return int(await self.redis.zcard(QUEUE))


async def enqueue(redis: ArqRedis, empresa_id: int, event: Event) -> None:
    """Puts one message into arq."""
    await redis.enqueue_job(ARQ_JOB, empresa_id, as_json(event).decode(), _job_id=event.message_id)


class BullQueue(Queue):
    """One BullMQ job per message, put there by Node."""

    async def fill(self, shape: Shape) -> None:
        """With `addBulk`, as BullMQ does that itself."""
        installation = {"redis": self.ground.redis_url, "queue": BULLMQ}
        await feed(json.dumps(installation), _lines(self.ground, shape))

    async def left(self) -> int:
        """Failed jobs stay: what failed for good is never at an end."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for name in ("wait", "active"):
                pipe.llen(f"bull:{BULLMQ}:{name}")
            for name in ("delayed", "failed"):
                pipe.zcard(f"bull:{BULLMQ}:{name}")
            return sum(await pipe.execute())


class NoQueue(Queue):
    """The contestant has all messages in its memory."""

    async def fill(self, shape: Shape) -> None:
        """Only says how many there are to be."""
        await self.redis.set(UNCOMMITTED, shape.total)

    async def left(self) -> int:
        """All, until it says that it is done."""
        return int(await self.redis.get(UNCOMMITTED) or 0)


class _Put(Protocol):
    async def __call__(self, empresa_id: int, event: Event) -> None: ...


async def _fill(put: _Put, ground: Ground, shape: Shape) -> None:
    """Those of a conversation never overtake each other."""
    for blocks in rounds(ground.empresa_ids, shape):
        waiting = iter([_in_a_row(put, block) for block in blocks])
        await asyncio.gather(*(_one_after_another(waiting) for _ in range(_AT_ONCE)))


async def _in_a_row(put: _Put, block: Block) -> None:
    empresa_id, events = block
    for event in events:
        await put(empresa_id, event)


async def _one_after_another(waiting: Iterator[Awaitable[None]]) -> None:
    for put in waiting:
        await put


def _lines(ground: Ground, shape: Shape) -> Sequence[str]:
    return [
        f'{{"empresa":{empresa_id},"event":{as_json(event).decode()}}}'
        for blocks in rounds(ground.empresa_ids, shape)
        for empresa_id, events in blocks
        for event in events
    ]

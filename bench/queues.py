"""The queue of each contestant: how it is filled, and when it is empty. Called by `bench.contest`.

A queue forgets a message only after its commit, so an empty one means that all is in the databases.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import saq
from arq.connections import ArqRedis

from bench.ground import Ground
from bench.load import Block, rounds
from bench.node_program import feed
from bench.sizes import Shape
from schema.events import Event
from worker.queue.inbox import Inbox, as_json
from worker.queue.keys import QUEUE, Task, TaskKeys, inbox

ARQ_JOB = "handle_message"
SAQ_JOB = "handle_message"
_SAQ = "messages"
BULLMQ = "messages"
"""The name of the queue of the rival in Node."""
UNCOMMITTED = "bench:uncommitted"
"""How many messages the loop without a queue has not committed; it says so once, at its end."""
_AT_ONCE = 64
_UNSENT = """
    SELECT COUNT(*) FROM mensagens
     WHERE tipo = 'enviada' AND status IN ('pendente', 'enviando')
"""


class Put(Protocol):
    """Puts one message into a queue."""

    async def __call__(self, empresa_id: int, event: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Filled(ABC):
    """Of one contestant, in the Redis database of the ground; filled before its worker starts."""

    ground: Ground
    redis: ArqRedis

    @abstractmethod
    async def fill(self, shape: Shape) -> None:
        """Puts all messages in, in order for each buyer."""

    @abstractmethod
    async def left(self) -> int:
        """How many messages are not yet committed."""


class Queue(Filled):
    """One that messages can come to while its worker works."""

    @abstractmethod
    def opened(self) -> AbstractAsyncContextManager[Put]:
        """The way in for one message."""

    async def fill(self, shape: Shape) -> None:
        """Puts all messages in, one by one; those of a buyer never overtake each other."""
        async with self.opened() as put:
            for blocks in rounds(self.ground.empresa_ids, shape):
                waiting = iter([_in_a_row(put, block) for block in blocks])
                await asyncio.gather(*(_one_after_another(waiting) for _ in range(_AT_ONCE)))


class InboxQueue(Queue):
    """The product's: an inbox for each empresa."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Put]:
        """As the webhook does it."""
        way_in = Inbox(self.redis)
        await way_in.register()

        async def put(empresa_id: int, event: Event) -> None:
            await way_in.push(empresa_id, [event])

        yield put

    async def left(self) -> int:
        """Entries of all inboxes."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for empresa_id in self.ground.empresa_ids:
                pipe.xlen(inbox(empresa_id))
            return sum(await pipe.execute())


class InboxAndOutbox(InboxQueue):
    """The same, until all replies have reached the gateway."""

    async def left(self) -> int:
        """The databases are asked only when Redis knows of no work: that costs more."""
        if found := await InboxQueue.left(self) + await self._to_send():
            return found
        rows = [await self.ground.rows(id_, _UNSENT) for id_ in sorted(self.ground.used)]
        return sum(int(row[0][0]) for row in rows)

    async def _to_send(self) -> int:
        return int(await self.redis.zcard(TaskKeys(0, Task.DELIVER).due))


class ArqQueue(Queue):
    """One arq job per message; its id is the message's, so that arq drops what comes twice."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Put]:
        """With arq's own call."""

        async def put(empresa_id: int, event: Event) -> None:
            body = as_json(event).decode()
            await self.redis.enqueue_job(ARQ_JOB, empresa_id, body, _job_id=event.message_id)

        yield put

    async def left(self) -> int:
        """Jobs that are not done."""
        return int(await self.redis.zcard(QUEUE))


class SaqQueue(Queue):
    """One SAQ job per message; its key is the message's id, so that SAQ drops what comes twice."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Put]:
        """With SAQ's own call; it keeps no result and tries again after a deadlock."""
        queue = saq_queue(self.ground.redis_url)

        async def put(empresa_id: int, event: Event) -> None:
            await queue.enqueue(
                SAQ_JOB, empresa_id=empresa_id, body=as_json(event).decode(),
                key=event.message_id, retries=100, retry_delay=0.01, ttl=-1, timeout=60,
            )  # fmt: skip

        try:
            yield put
        finally:
            await queue.disconnect()

    async def left(self) -> int:
        """Jobs that are not done."""
        return int(await self.redis.zcard(f"saq:{_SAQ}:incomplete"))


def saq_queue(url: str) -> saq.Queue:
    """Its queue in our Redis database."""
    return saq.Queue.from_url(url, name=_SAQ)


class BullQueue(Filled):
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


class NoQueue(Filled):
    """The contestant has all messages in its memory."""

    async def fill(self, shape: Shape) -> None:
        """Only says how many there are to be."""
        await self.redis.set(UNCOMMITTED, shape.total)

    async def left(self) -> int:
        """All, until it says that it is done."""
        return int(await self.redis.get(UNCOMMITTED) or 0)


async def _in_a_row(put: Put, block: Block) -> None:
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

"""The limit: the rows of a contest with multi-row statements from a loop, without any queue.

`python -m bench.limit 256`: messages in a transaction. The first line of stdin is the empresas and
the shape of the load as JSON; all messages are in memory before "go". A few dealers side by side,
so that neither the servers nor this process wait for each other.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import aiomysql
import orjson
import uvloop

from bench.child import get_go, get_stop, tell_cpu
from bench.ground import GATEWAY, channel_of
from bench.limit_sql import MultiRow
from bench.load import rounds
from bench.queues import UNCOMMITTED
from bench.sizes import Shape
from schema.events import Event
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.arq_queues import connect
from worker.settings import WorkerSettings

_AT_ONCE = 4
_SET_UP = "SET time_zone = '+00:00', tx_isolation = 'READ-COMMITTED'"


class Loop:
    """One dealer's messages, and the connection that they go through."""

    def __init__(self, conn: Any, channel: int, events: Sequence[Event]) -> None:
        self._conn = conn
        self._channel = channel
        self._events = events

    async def run(self, batch: int) -> None:
        """All of them, a transaction for each batch."""
        events = iter(self._events)
        while some := list(islice(events, batch)):
            async with self._conn.cursor() as cursor:
                await MultiRow(cursor, self._channel).store_and_answer(some, datetime.now(UTC))
            await self._conn.commit()


async def main(batch: int) -> None:
    """From the moment that the parent says so."""
    told = orjson.loads(await asyncio.to_thread(sys.stdin.readline))
    redis = await connect(WorkerSettings())
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        waiting = iter(
            [loop async for loop in _loops(stack, told["empresas"], Shape(**told["shape"]))]
        )
        await get_go()
        started = time.process_time()
        await asyncio.gather(*(_one_after_another(waiting, batch) for _ in range(_AT_ONCE)))
        await redis.delete(UNCOMMITTED)
        await get_stop()
        tell_cpu(started)


async def _loops(
    stack: AsyncExitStack, empresa_ids: Sequence[int], shape: Shape
) -> AsyncIterator[Loop]:
    events: dict[int, list[Event]] = {}
    for blocks in rounds(empresa_ids, shape):
        for empresa_id, some in blocks:
            events.setdefault(empresa_id, []).extend(some)
    async with open_tenancy(TenancySettings(), grace_s=1) as tenancy:
        for empresa_id, of_empresa in events.items():
            target = (await tenancy.registry.tenant(empresa_id)).target
            channel = await tenancy.registry.channel(GATEWAY, channel_of(empresa_id))
            if channel is None:
                raise LookupError(f"empresa {empresa_id} has no channel")
            conn = await aiomysql.connect(
                host=target.host, port=target.port, user=target.user, db=target.database,
                password=target.password.get_secret_value(), charset="utf8mb4",
                init_command=_SET_UP,
            )  # fmt: skip
            stack.callback(conn.close)
            yield Loop(conn, channel.id, of_empresa)


async def _one_after_another(waiting: Iterator[Loop], batch: int) -> None:
    for loop in waiting:
        await loop.run(batch)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))

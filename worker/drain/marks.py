"""Shows buyers that they are read and that an answer is coming. Called by `worker.drain.job`.

A courtesy beside the work: what goes wrong costs a log line and holds up nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import structlog

from gateway.adapters import Adapter
from schema.errors import HelixError
from schema.events import BUYER_WROTE
from tenancy.registry import Registry
from worker.drain.arrival import Arrival
from worker.drain.conversations import Book

log = structlog.get_logger()

_TIMEOUT_S = 5.0
_AT_ONCE = 16
_MOST_WAITING = 256
"""Beyond this, gateways are slower than buyers write: what is not shown now is of no use later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Messages of one buyer that Lucas has taken to answer."""

    canal_id: int
    address: str
    message_ids: tuple[str, ...]


def marks_of(book: Book, arrivals: Sequence[Arrival]) -> tuple[Mark, ...]:
    """What to show for a batch, before its turns are taken: nothing where a person answers."""
    ids: dict[tuple[int, str], dict[str, None]] = {}
    for arrival in arrivals:
        event = arrival.event
        if event.kind not in BUYER_WROTE or event.message_id is None or not event.reply_to:
            continue
        conversation = book.find(event)
        if conversation is not None and conversation.sem_resposta_desde is not None:
            ids.setdefault((arrival.canal_id, event.reply_to), {})[event.message_id] = None
    return tuple(
        Mark(canal_id=canal_id, address=address, message_ids=tuple(found))
        for (canal_id, address), found in ids.items()
    )


class Marker:
    """Speaks to the gateways beside the drains. One per process."""

    def __init__(
        self,
        *,
        registry: Registry,
        session: aiohttp.ClientSession,
        adapters: Mapping[str, Adapter],
        switched_on: bool,
    ) -> None:
        self._registry = registry
        self._session = session
        self._adapters = adapters
        self._switched_on = switched_on
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, empresa_id: int, marks: Iterable[Mark]) -> None:
        """Returns at once."""
        for mark in marks:
            if not self._switched_on or len(self._tasks) >= _MOST_WAITING:
                return
            task = asyncio.create_task(self._show(empresa_id, mark), name=f"mark-{empresa_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What was not shown by now is not shown."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _show(self, empresa_id: int, mark: Mark) -> None:
        try:
            async with self._places:
                await self._ask(mark)
        except (HelixError, TimeoutError) as error:
            log.info("not marked read", empresa_id=empresa_id, canal_id=mark.canal_id,
                     reason=str(error))  # fmt: skip
        except Exception:  # a bug of an adapter: seen, and of no consequence
            log.exception("not marked read", empresa_id=empresa_id, canal_id=mark.canal_id)

    async def _ask(self, mark: Mark) -> None:
        channel = await self._registry.channel_by_id(mark.canal_id)
        adapter = None if channel is None else self._adapters.get(channel.gateway)
        if channel is None or adapter is None or not channel.active:
            return
        await adapter.mark_read(
            self._session,
            channel,
            address=mark.address,
            message_ids=mark.message_ids,
            typing=True,
            timeout_s=_TIMEOUT_S,
        )

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
_GROUP = 8
"""Few: they are shown one after the other."""
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


def _groups(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Those of one channel together: one task and one line of the log for some of them."""
    by_channel: dict[int, list[Mark]] = {}
    for mark in marks:
        by_channel.setdefault(mark.canal_id, []).append(mark)
    return [
        of_channel[first : first + _GROUP]
        for of_channel in by_channel.values()
        for first in range(0, len(of_channel), _GROUP)
    ]


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
        self._waiting = 0
        """Marks that are not shown yet."""

    def show(self, empresa_id: int, marks: Iterable[Mark]) -> None:
        """Returns at once."""
        if not self._switched_on:
            return
        room = max(0, _MOST_WAITING - self._waiting)
        for group in _groups(list(marks)[:room]):
            self._waiting += len(group)
            task = asyncio.create_task(self._show(empresa_id, group), name=f"marks-{empresa_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What was not shown by now is not shown."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting = 0  # one that had not begun has not counted itself down

    async def _show(self, empresa_id: int, group: Sequence[Mark]) -> None:
        """One after the other. Who was slow to answer once is not asked again."""
        ids = {"empresa_id": empresa_id, "canal_id": group[0].canal_id}
        reason, failed = "", 0
        try:
            async with self._places:
                for place, mark in enumerate(group):
                    try:
                        await self._ask(mark)
                    except TimeoutError:
                        reason, failed = "no answer in time", failed + len(group) - place
                        break
                    except HelixError as error:
                        reason, failed = str(error), failed + 1
        except Exception:  # a bug of an adapter: seen, and of no consequence
            log.exception("not marked read", **ids)
        finally:
            self._waiting -= len(group)
        if failed:
            log.info("not marked read", **ids, buyers=failed, reason=reason)

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

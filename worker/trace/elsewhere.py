"""Finds what Redis knows of a message: waiting, dead or ignored. Called by `search`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime

import orjson
from redis.asyncio import Redis

from schema.errors import HelixError
from worker.clock import from_ms
from worker.dead.find import Filter, Finder
from worker.dead.letter import Kind, Letter
from worker.queue.dead_shelf import DeadShelf
from worker.queue.ignored import Ignored
from worker.queue.inbox import read_entry
from worker.queue.keys import inbox

_SHARED = (Kind.UNKNOWN_CHANNEL, Kind.UNREADABLE)
_MOST_ENTRIES = 50_000
"""Of one inbox. More would be hours of a busy dealer's messages."""


class InboxTooLong(HelixError):
    """The inbox holds more than a search reads: see first why nobody drains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One thing that Redis knows."""

    at: datetime
    what: str
    detail: str
    personal: str | None = None
    """What is added for those who may see it."""


class Elsewhere:
    """Reads; changes nothing. Raises RedisError."""

    def __init__(self, redis: Redis, *, most_entries: int = _MOST_ENTRIES) -> None:
        self._shelf = DeadShelf(redis)
        self._finder = Finder(self._shelf)
        self._ignored = Ignored(redis)
        self._most_entries = most_entries

    async def of_empresa(self, empresa_id: int, message_ids: Collection[str]) -> list[Trace]:
        """By gateways' ids: on the dealer's inbox, among his dead events, ignored.

        Raises InboxTooLong.
        """
        found = [trace async for trace in self._waiting(empresa_id, message_ids)]
        dead = self._finder.find(Filter(empresa_id=empresa_id, kind=Kind.EVENT))
        found += [trace_of(letter) async for letter in dead if _names(letter.event, message_ids)]
        found += [
            Trace(
                at=from_ms(event.at_ms),
                what="ignored",
                detail=f"{event.reason} (kind {event.kind}, {event.gateway} {event.channel})",
            )
            for event in await self._ignored.find(empresa_id, message_ids)
        ]
        return found

    async def empresas(self) -> list[int]:
        """Every empresa that has, or once had, a dead letter: also one that has no number."""
        return await self._shelf.empresas()

    async def of_nobody(self, message_id: str) -> list[Trace]:
        """Events of channels that nobody has, bodies that could not be read."""
        return [
            trace_of(letter)
            for kind in _SHARED
            async for letter in self._finder.find(Filter(kind=kind))
            if _names(letter.event, {message_id}) or message_id.encode() in (letter.body or b"")
        ]

    async def letters(self, empresa_id: int) -> list[Letter]:
        """Dead turns and replies of a dealer, the oldest first."""
        kinds = (Kind.TURN, Kind.REPLY, Kind.LATE)
        wanted = Filter(empresa_id=empresa_id)
        return [letter async for letter in self._finder.find(wanted) if letter.kind in kinds]

    async def _waiting(self, empresa_id: int, message_ids: Collection[str]) -> AsyncIterator[Trace]:
        read = 0
        async for stream_entry in self._shelf.read(inbox(empresa_id)):
            read += 1
            if read > self._most_entries:
                raise InboxTooLong(f"its inbox holds more than {self._most_entries} events")
            if not _names(stream_entry[1].get(b"event"), message_ids):
                continue
            entry = read_entry(stream_entry)
            kind = "unknown" if entry.event is None else entry.event.kind.value
            yield Trace(
                at=from_ms(entry.arrived_ms),
                what="on the inbox",
                detail=f"an event of kind {kind} waits for a worker since then",
            )


def trace_of(letter: Letter) -> Trace:
    """A dead letter; its error may hold personal data, its cause does not."""
    return Trace(
        at=from_ms(letter.at_ms),
        what="dead letter",
        detail=f"{letter.id}, {letter.kind}: {letter.cause}",
        personal=letter.error,
    )


def _names(raw: bytes | None, message_ids: Collection[str]) -> bool:
    """Whether an event is about one of the messages. Only what may be is taken apart."""
    if raw is None or not (b"\\" in raw or any(name.encode() in raw for name in message_ids)):
        return False
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return isinstance(event, dict) and event.get("message_id") in message_ids

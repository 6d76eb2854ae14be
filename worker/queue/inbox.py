"""Puts events on an empresa's inbox; reads what stands there. Called by web, drain and CLI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from schema.errors import InboxFull
from schema.events import Event
from worker.queue.functions import NO_COPIES, Copies, Functions, InboxLimits
from worker.queue.keys import inbox
from worker.queue.lease import StreamEntry

LARGEST_EVENT = 4 * 1024 * 1024
"""Bytes of one event's JSON; `helix_push` refuses larger ones. More than a body of Meta's holds."""
_AT_ONCE = 500
_FULL = "HELIX_FULL "


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """One entry of the stream. `event` is None when `raw` is not the JSON of an event."""

    id: str
    """Where it stands on the stream."""
    origin: str
    """The id that an inbox gave it first: a replay of a dead letter keeps it."""
    arrived_ms: int
    """By Redis's clock, when the inbox took it."""
    raw: bytes
    event: Event | None
    error: str | None = None


class Inbox:
    """The way in. The same call that a gateway in another language makes."""

    def __init__(
        self, redis: Redis, limits: InboxLimits | None = None, *, copies: Copies = NO_COPIES
    ) -> None:
        """`limits`: see `Functions`. `copies`: the replicas that must have an event before a push
        counts as done."""
        self._redis = redis
        self._functions = Functions(redis, limits, copies=copies)

    async def push(self, empresa_id: int, events: Sequence[Event]) -> int:
        """Stores the events and rings for a worker, in one atomic step; returns how many.

        When it returns, Redis has them. InboxFull (too much waits there already) and RedisError
        mean that not all was stored: repeat. More than 500 events take several steps; an event must
        not be larger than LARGEST_EVENT.
        """
        stored = 0
        for first in range(0, len(events), _AT_ONCE):
            stored += await self._step(empresa_id, events[first : first + _AT_ONCE])
        return stored

    async def _step(self, empresa_id: int, events: Sequence[Event]) -> int:
        texts = [as_json(event) for event in events]
        try:
            ids = await self._functions.call("helix_push", [inbox(empresa_id)], texts)
        except ResponseError as error:
            if str(error).startswith(_FULL):
                raise InboxFull(empresa_id, str(error).removeprefix(_FULL)) from error
            raise
        return len(cast("list[bytes]", ids))

    async def register(self) -> None:
        """Sees to it that Redis has the function, for those who push from outside."""
        await self._functions.register()

    async def depth(self, empresa_id: int) -> int:
        """How many events are not yet in the empresa's database."""
        return int(await self._redis.xlen(inbox(empresa_id)))

    async def oldest_ms(self, empresa_id: int, *, default_ms: int) -> int:
        """When the oldest of them came, by Redis's clock; `default_ms` when there is none."""
        entries: list[StreamEntry] = await self._redis.xrange(inbox(empresa_id), count=1)
        return read_entry(entries[0]).arrived_ms if entries else default_ms


def as_json(event: Event) -> bytes:
    """An event as it stands on an inbox."""
    return event.model_dump_json(exclude_defaults=True).encode()


def read_entry(entry: StreamEntry) -> InboxEntry:
    """A stream entry as a value; never raises, whoever wrote it."""
    entry_id, fields = entry
    raw = fields.get(b"event", b"")
    stream_id = entry_id.decode()
    arrived_ms = _milliseconds(fields.get(b"at"), stream_id)
    origin = fields.get(b"id", entry_id).decode(errors="replace")
    event, reason = None, None
    try:
        event = Event.model_validate_json(raw)
    except ValidationError as error:
        reason = f"not an event: {error.error_count()} errors, first: {error.errors()[0]['msg']}"
    return InboxEntry(
        id=stream_id, origin=origin, arrived_ms=arrived_ms, raw=raw, event=event, error=reason
    )


def _milliseconds(at: bytes | None, stream_id: str) -> int:
    """When Redis took the entry; the stream id starts with it, should `at` be missing."""
    if at is not None and at.isdigit():
        return int(at)
    return int(stream_id.partition("-")[0])

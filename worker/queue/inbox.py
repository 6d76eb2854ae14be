"""Puts events on an empresa's inbox; reads what stands there. Called by web, drain and CLI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from redis.asyncio import Redis

from schema.events import Event
from worker.queue.bell import new_job_id
from worker.queue.keys import QUEUE, Task, TaskKeys, arq_job, inbox
from worker.queue.lease import StreamEntry
from worker.queue.scripts import load


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """One entry of the stream. `event` is None when `raw` is not the JSON of an event."""

    origin: str
    """The id that an inbox gave it first: a replay of a dead letter keeps it."""
    arrived_ms: int
    """By Redis's clock, when the inbox took it."""
    raw: bytes
    event: Event | None
    error: str | None = None


class Inbox:
    """The way in. The same call that a gateway in another language makes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._push = load(redis, "push")

    async def push(self, empresa_id: int, events: Sequence[Event]) -> int:
        """Stores the events and rings for a worker, in one atomic step; returns how many.

        When it returns, Redis has them. A RedisError means that nothing or all was stored: repeat.
        """
        if not events:
            return 0
        keys = TaskKeys(empresa_id, Task.DRAIN)
        job_id = new_job_id(Task.DRAIN, empresa_id)
        stored = await self._push(
            keys=[inbox(empresa_id), keys.lease, keys.ring, keys.due, QUEUE, arq_job(job_id)],
            args=[
                empresa_id,
                job_id,
                *(event.model_dump_json(exclude_defaults=True) for event in events),
            ],
        )
        return int(stored)

    async def depth(self, empresa_id: int) -> int:
        """How many events are not yet in the empresa's database."""
        return int(await self._redis.xlen(inbox(empresa_id)))


def read_entry(entry: StreamEntry) -> InboxEntry:
    """A stream entry as a value; never raises, whoever wrote it."""
    entry_id, fields = entry
    raw = fields.get(b"event", b"")
    stream_id = entry_id.decode()
    arrived_ms = _milliseconds(fields.get(b"at"), stream_id)
    origin = fields.get(b"id", entry_id).decode(errors="replace")
    try:
        event = Event.model_validate_json(raw)
    except ValidationError as error:
        reason = f"not an event: {error.error_count()} errors, first: {error.errors()[0]['msg']}"
        return InboxEntry(origin=origin, arrived_ms=arrived_ms, raw=raw, event=None, error=reason)
    return InboxEntry(origin=origin, arrived_ms=arrived_ms, raw=raw, event=event)


def below(stream_id: str) -> str:
    """The id that comes right after: entries under it are `stream_id` and all older ones."""
    ms, _, seq = stream_id.partition("-")
    return f"{ms}-{int(seq) + 1}"


def _milliseconds(at: bytes | None, stream_id: str) -> int:
    """When Redis took the entry; the stream id starts with it, should `at` be missing."""
    if at is not None and at.isdigit():
        return int(at)
    return int(stream_id.partition("-")[0])

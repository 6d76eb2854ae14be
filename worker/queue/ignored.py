"""Remembers why events were ignored, for a person who asks. Called by web, drain and CLI.

A short memory without personal data: a message is found by a digest of its id, for some gateways
write the buyer's number into it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.events import Event
from worker.log import mask
from worker.queue.keys import ignored
from worker.queue.lease import StreamEntry

log = structlog.get_logger()

KEPT = 500
"""Of each empresa, about so many, the newest; all of them gone a week after the last."""
_FORGOTTEN_AFTER_S = 7 * 24 * 3600
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredEvent:
    """One event that nothing was made of."""

    at_ms: int
    """When it was ignored, by Redis's clock."""
    kind: str
    reason: str
    gateway: str
    channel: str
    """As the gateway names it."""


class Ignored:
    """A stream for each empresa. Writing never raises: a trace must not stop what it traces."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, empresa_id: int, events: Sequence[Event]) -> None:
        """Those that have a message's id: nobody can ask for another."""
        named = [event for event in events if event.message_id is not None]
        if not named:
            return
        stream = ignored(empresa_id)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for event in named:
                    told = _fields(event)
                    pipe.xadd(stream, dict(told.items()), maxlen=KEPT, approximate=True)
                pipe.expire(stream, _FORGOTTEN_AFTER_S)
                await pipe.execute()
        except RedisError as error:
            log.warning("ignored events not traced", empresa_id=empresa_id, error=str(error))

    async def find(self, empresa_id: int, message_ids: Collection[str]) -> list[IgnoredEvent]:
        """The oldest first; raises RedisError."""
        wanted = {digest_of(name).encode() for name in message_ids}
        entries: list[StreamEntry] = await self._redis.xrange(ignored(empresa_id))
        return [_read(entry) for entry in entries if entry[1].get(b"id") in wanted]


def _fields(event: Event) -> dict[str, str]:
    return {
        "id": digest_of(event.message_id or ""),
        "kind": event.kind.value,
        "reason": mask(event.reason or "kind")[:_LONGEST_REASON],
        "gateway": event.gateway,
        "channel": event.channel or "",
    }


def _read(entry: StreamEntry) -> IgnoredEvent:
    entry_id, fields = entry
    told = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
    return IgnoredEvent(
        at_ms=int(entry_id.partition(b"-")[0]),
        kind=told.get("kind", ""),
        reason=told.get("reason", ""),
        gateway=told.get("gateway", ""),
        channel=told.get("channel", ""),
    )


def digest_of(message_id: str) -> str:
    """What stands in the stream in place of a gateway's id."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]

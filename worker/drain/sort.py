"""Sorts inbox entries: what can be stored, and what goes another way. Called by `worker.drain.job`.

Nothing leaves here without a trace: what is not stored is refused with a reason or a log line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from schema.channels import Channel
from schema.events import BUYER_WROTE, Event, EventKind
from tenancy.registry import Registry
from worker.drain.conversations import buyer_key
from worker.drain.intake import Arrival
from worker.log import short_id
from worker.queue.inbox import InboxEntry

log = structlog.get_logger()

_STORED = BUYER_WROTE | {EventKind.HUMAN_ECHO, EventKind.STATUS, EventKind.EDITED}


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of a batch."""

    arrivals: list[Arrival]
    refused: list[tuple[InboxEntry, str]]
    """Dead letters to be, with their reasons."""


class Sorter:
    """Checks each entry: an event, of a channel of this very empresa, that names a buyer."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def sort(self, empresa_id: int, entries: Sequence[InboxEntry]) -> Sorted:
        """Each entry is in one of the two lists, in order, or of a kind that changes nothing."""
        arrivals, refused = [], []
        channels: dict[tuple[str, str], Channel | None] = {}
        for entry in entries:
            event = entry.event
            if event is None:
                refused.append((entry, entry.error or "not an event"))
                continue
            if event.kind not in _STORED:
                log.info("event ignored", empresa_id=empresa_id, kind=event.kind.value,
                         message_id=short_id(event.message_id),
                         why=event.reason or "kind")  # fmt: skip
                continue
            name = (event.gateway, event.channel or "")
            if name not in channels:
                channels[name] = await self._registry.channel(*name)
            channel = channels[name]
            problem = _problem(event, channel, empresa_id)
            if channel is None or problem is not None:
                refused.append((entry, problem or "no channel"))
                continue
            arrivals.append(
                Arrival(
                    event=event,
                    canal_id=channel.id,
                    arrived_ms=entry.arrived_ms,
                    origin=entry.origin,
                )
            )
        return Sorted(arrivals, refused)


def _problem(event: Event, channel: Channel | None, empresa_id: int) -> str | None:
    """Why an event cannot be stored for this empresa, None when it can."""
    if channel is None or channel.empresa_id != empresa_id:
        return (
            f"channel {event.channel!r} of gateway {event.gateway!r} is not one of empresa"
            f" {empresa_id}; `helix channel list` shows its channels"
        )
    if event.kind in {EventKind.STATUS, EventKind.EDITED}:
        return None
    try:
        buyer_key(event)
    except ValueError as error:
        return str(error)
    return None

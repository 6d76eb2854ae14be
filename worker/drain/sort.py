"""Sorts inbox entries: what can be stored, and what goes another way. Called by `worker.drain.job`.

Nothing leaves here without a trace: what is not stored is refused with a reason or a log line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gateway.phone import canonical_phone
from schema.channels import Channel
from schema.events import Event, EventKind
from tenancy.registry import Registry
from worker.drain.arrival import Arrival
from worker.drain.people import names_nobody
from worker.log import short_id
from worker.queue.ignored import Ignored
from worker.queue.inbox import InboxEntry

log = structlog.get_logger()

_NO_BUYER_NEEDED = frozenset(
    {EventKind.STATUS, EventKind.EDITED, EventKind.REVOKED, EventKind.IGNORED}
)
"""Kinds that are about a message, or that say nothing to anybody."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of a batch."""

    arrivals: list[Arrival]
    refused: list[tuple[InboxEntry, str]]
    """Dead letters to be, with their reasons."""


class Sorter:
    """Checks each entry: an event, of a channel of this very empresa, that names a buyer."""

    def __init__(self, registry: Registry, ignored: Ignored) -> None:
        self._registry = registry
        self._ignored = ignored

    async def sort(self, empresa_id: int, entries: Sequence[InboxEntry]) -> Sorted:
        """Each entry is in one of the two lists, in order, or of a kind that changes nothing."""
        arrivals, refused, useless = [], [], []
        channels: dict[tuple[str, str], Channel | None] = {}
        for entry in entries:
            event = entry.event
            if event is None:
                refused.append((entry, entry.error or "not an event"))
                continue
            if not event.is_of_use:
                log.info("event ignored", empresa_id=empresa_id, kind=event.kind.value,
                         message_id=short_id(event.message_id),
                         why=event.reason or "kind")  # fmt: skip
                useless.append(event)
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
                    event=_under_one_number(event),
                    canal_id=channel.id,
                    arrived_ms=entry.arrived_ms,
                    entry_id=entry.id,
                    origin=entry.origin,
                )
            )
        await self._ignored.keep(empresa_id, useless)
        return Sorted(arrivals, refused)


def _problem(event: Event, channel: Channel | None, empresa_id: int) -> str | None:
    """Why an event cannot be stored for this empresa, None when it can."""
    if channel is None or channel.empresa_id != empresa_id:
        return (
            f"channel {event.channel!r} of gateway {event.gateway!r} is not one of empresa"
            f" {empresa_id}; `helix channel list` shows its channels"
        )
    if not channel.active and event.kind not in _NO_BUYER_NEEDED:
        return "the channel is switched off; `helix channel enable` switches it on"
    if event.kind in _NO_BUYER_NEEDED or not names_nobody(event):
        return None
    return "the event names no buyer: phone, user_id and reply_to are all missing"


def _under_one_number(event: Event) -> Event:
    """A gateway in another language may not know the rule of the ninth digit."""
    phone, former = canonical_phone(event.phone), canonical_phone(event.former_phone)
    if phone == event.phone and former == event.former_phone:
        return event
    return event.model_copy(update={"phone": phone, "former_phone": former})

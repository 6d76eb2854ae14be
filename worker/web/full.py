"""Says that an inbox is full: counted each time, logged once a minute. Called by `webhook`.

A gateway that is refused comes again and again; a line for each would drown all others.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from schema.channels import Channel
from schema.errors import InboxFull
from worker.web.counters import FULL

log = structlog.get_logger()

_EVERY_S = 60.0


class FullInboxes:
    """Remembers when it spoke of a channel last. One per process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._said: dict[int, float] = {}

    def refuse(self, channel: Channel, error: InboxFull) -> None:
        """One more request by this channel could not be taken, or not whole."""
        FULL.labels(channel.gateway).inc()
        now = self._clock()
        if now < self._said.get(channel.id, float("-inf")) + _EVERY_S:
            return
        self._said[channel.id] = now
        log.error("inbox full", gateway=channel.gateway, canal_id=channel.id,
                  empresa_id=error.empresa_id, reason=str(error))  # fmt: skip

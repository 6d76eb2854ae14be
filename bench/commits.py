"""When each message was committed, as the worker process itself saw it; told at its end.

Called by the contestants when a latency is measured. Times are those of the machine's monotonic
clock, which all its processes share.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

from schema.events import Event

SWITCH = "BENCH_NOTE_COMMITS"
"""The environment variable that says that somebody wants to know."""
_wanted = os.environ.get(SWITCH) == "1"
_noted: dict[str, float] = {}


def note(events: Iterable[Event]) -> None:
    """Right after the commit of the messages and of their answer."""
    if _wanted:
        at = time.monotonic()
        _noted.update((event.message_id or "", at) for event in events)


def noted() -> dict[str, float]:
    """By message id."""
    return _noted

"""What a conversation does after one of its replies was looked at. Told by `sender` to `job`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Whether the conversation's next reply may follow, and what else waits."""

    go_on: bool = False
    stale: bool = False
    """What the reply states is no longer so: its turn is taken anew."""
    channel_until: datetime | None = None
    """Nothing of the whole channel goes out before then."""


NEXT = Step(go_on=True)
"""It is done with, one way or the other."""
HELD = Step()
"""It waits, and holds up its conversation."""
STALE = Step(stale=True)


def held_channel(until: datetime) -> Step:
    """It waits, and so do all others of its channel."""
    return Step(channel_until=until)

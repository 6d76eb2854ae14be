"""When a buyer is reminded of his appointment. Called by `worker.remind`.

The evening before, and two hours before. Pure: the same appointment always has the same times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from hashlib import blake2b

_EVENING = timedelta(hours=2)
"""How long the evening is: from the dealer's hour on."""
_LATEST_START = timedelta(minutes=90)
"""Within the evening; the rest is for a queue or an outage."""
_BEFORE = timedelta(hours=2)
_TOO_CLOSE = timedelta(minutes=30)
"""Who has not been reminded by then is on his way."""
_MORNING = time(7)
"""Nobody is written to before; an appointment at 8 is reminded of at 7."""
AHEAD = timedelta(days=2)
"""No reminder goes out longer before its appointment."""


class ReminderKind(StrEnum):
    """The values of `lucas_lembretes.tipo`."""

    EVENING = "vespera"
    HOURS = "duas_horas"
    GONE = "carro_indisponivel"
    """In place of either: the car is no longer there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A reminder and the time in which it is of use."""

    kind: ReminderKind
    at: datetime
    until: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether it may be written now."""
        return self.at <= now < self.until


def reminders(
    visit: datetime, *, number: int, agreed: datetime, evening_h: int, least: timedelta
) -> Iterator[Due]:
    """The reminders of an appointment at `visit` (in the dealer's zone), the earliest first.

    `number`: of the appointment; spreads the evening's reminders. `agreed`: when it was made or
    moved; what would come less than `least` after that is left out.
    """
    for due in (_evening_before(visit, number, evening_h), _hours_before(visit)):
        if due.at < due.until and due.at - agreed >= least:
            yield due


def _evening_before(visit: datetime, number: int, evening_h: int) -> Due:
    day = visit.date() - timedelta(days=1)
    begins = datetime.combine(day, time(evening_h), visit.tzinfo)
    drawn = int.from_bytes(blake2b(str(number).encode(), digest_size=4).digest())
    at = begins + timedelta(seconds=drawn % int(_LATEST_START.total_seconds()))
    return Due(kind=ReminderKind.EVENING, at=at, until=begins + _EVENING)


def _hours_before(visit: datetime) -> Due:
    morning = datetime.combine(visit.date(), _MORNING, visit.tzinfo)
    at = max(_earlier(visit, _BEFORE), morning)
    return Due(kind=ReminderKind.HOURS, at=at, until=_earlier(visit, _TOO_CLOSE))


def _earlier(at: datetime, by: timedelta) -> datetime:
    """Real hours, also in the night in which clocks change."""
    return (at.astimezone(UTC) - by).astimezone(at.tzinfo)

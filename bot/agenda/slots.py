"""Turns what was said of a day and a time into a moment that can be booked, or says why not.

Called by `rules.visits`. Never in the past, never outside opening hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.agenda.hours import OpeningHours
from bot.reading.when import DayPart, DayWish, TimeWish, When

STEP = timedelta(minutes=30)
OFFERED = 3
"""So many free times are named when one must be chosen."""
FARTHEST = timedelta(days=120)
_LONG_PAST = timedelta(days=180)
"""A date further back than this is meant for next year (10/01, said in December)."""
_NOON = time(12)
_EVENING = time(18)


class Hitch(StrEnum):
    """Why what was said cannot be booked."""

    NO_SUCH_DAY = "no_such_day"
    PAST_DAY = "past_day"
    CLOSED_DAY = "closed_day"
    OVER_TODAY = "over_today"
    """The store has closed for today, or is about to."""
    TOO_FAR = "too_far"
    PAST_TIME = "past_time"
    CLOSED_TIME = "closed_time"
    TAKEN = "taken"


class Asks(StrEnum):
    """What is still missing."""

    DATE = "date"
    TIME = "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What is known of a moment so far."""

    day: date | None = None
    at: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A moment to book, or what to ask and why. Times are the dealer's."""

    slot: Slot
    """What carries over to the buyer's next words."""
    at: datetime | None = None
    asks: Asks | None = None
    hitch: Hitch | None = None
    refused: date | None = None
    """The day that cannot be."""
    offers: tuple[datetime, ...] = ()
    """Free times, the nearest to what was wanted first said; in order of time."""


def settle(
    when: When,
    before: Slot,
    *,
    now: datetime,
    hours: OpeningHours,
    taken: frozenset[datetime] = frozenset(),
) -> Outcome:
    """What `when`, after what was known before, comes to."""
    slot = _merged(when, before, now.date(), hours)
    if when.day is not None and slot.day is None:
        return Outcome(slot=slot, asks=Asks.DATE, hitch=Hitch.NO_SUCH_DAY)
    if slot.day is None:
        return Outcome(slot=slot, asks=Asks.DATE)
    hitch = _hitch_of_day(slot.day, now, hours)
    if hitch is not None:
        offers = _on_next_day(slot, now, hours, taken)
        return Outcome(
            slot=replace(slot, day=None), asks=Asks.DATE, hitch=hitch, refused=slot.day,
            offers=offers,
        )  # fmt: skip
    free = list(free_starts(slot.day, now=now, hours=hours, taken=taken))
    if slot.at is None:
        return Outcome(slot=slot, asks=Asks.TIME, offers=_spread(_narrowed(free, when)))
    at = datetime.combine(slot.day, slot.at, now.tzinfo)
    trouble = _hitch_of_time(at, now, hours, taken)
    if trouble is None:
        return Outcome(slot=slot, at=at)
    return Outcome(slot=slot, asks=Asks.TIME, hitch=trouble, offers=_nearest(free, at))


def free_starts(
    day: date, *, now: datetime, hours: OpeningHours, taken: frozenset[datetime] = frozenset()
) -> Iterator[datetime]:
    """The half hours of a day at which a visit can still begin."""
    for start in hours.starts(day, step=STEP):
        at = datetime.combine(day, start, now.tzinfo)
        if at > now and at not in taken:
            yield at


def day_of(wish: DayWish, today: date) -> date | None:
    """The date that is meant; may be past. None: there is no such day."""
    if wish.ahead is not None:
        return today + timedelta(days=wish.ahead)
    if wish.weekday is not None:
        return _weekday(wish.weekday, today, next_week=wish.next_week)
    return _calendar_day(wish, today)


def _weekday(weekday: int, today: date, *, next_week: bool) -> date:
    """The next such day strictly after today; with `next_week`, the one in the week after this."""
    if next_week:
        monday = today + timedelta(days=7 - today.weekday())
        return monday + timedelta(days=weekday)
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _calendar_day(wish: DayWish, today: date) -> date | None:
    try:
        if wish.month is None:
            return _in_month(wish.day or 0, today)
        found = date(wish.year or today.year, wish.month, wish.day or 0)
        if wish.year is None and today - found > _LONG_PAST:
            return found.replace(year=today.year + 1)
    except ValueError:
        return None
    return found


def _in_month(day: int, today: date) -> date:
    """`dia 28`: of this month if still to come, else of the next month that has it."""
    first = today.replace(day=1)
    for _ in range(3):
        try:
            found = first.replace(day=day)
        except ValueError:
            found = None
        if found is not None and found >= today:
            return found
        first = (first + timedelta(days=32)).replace(day=1)
    raise ValueError(day)


def time_of(wish: TimeWish, day: date | None, hours: OpeningHours) -> time:
    """The reading that is in opening hours: `as 3` is 15:00, `as 9` is 09:00."""
    said = time(wish.hour, wish.minute)
    if wish.sure or wish.hour >= 12:
        return said
    later = time(wish.hour + 12, wish.minute)
    spans = list(hours.spans(day) if day else sum(hours.week[:5], ()))
    for at in (said, later):
        if any(span.start <= at < span.end for span in spans):
            return at
    return later if wish.hour < 7 else said


def _merged(when: When, before: Slot, today: date, hours: OpeningHours) -> Slot:
    day = before.day
    if when.day is not None:
        day = day_of(when.day, today)
    elif when.vague_day:
        day = None
    if when.shift is not None and before.day and before.at and when.day is None:
        moved = datetime.combine(before.day, before.at) + timedelta(minutes=when.shift)
        return Slot(day=moved.date(), at=moved.time())
    if when.shift_days is not None and before.day is not None and when.day is None:
        day = before.day + timedelta(days=when.shift_days)
    at = before.at
    if when.time is not None:
        at = time_of(when.time, day, hours)
    elif when.part or when.after or when.before or when.vague_time:
        at = None
    return Slot(day=day, at=at)


def _hitch_of_day(day: date, now: datetime, hours: OpeningHours) -> Hitch | None:
    if day < now.date():
        return Hitch.PAST_DAY
    if day - now.date() > FARTHEST:
        return Hitch.TOO_FAR
    if not hours.spans(day):
        return Hitch.CLOSED_DAY
    last = hours.spans(day)[-1].end
    return Hitch.OVER_TODAY if datetime.combine(day, last, now.tzinfo) <= now else None


def _hitch_of_time(
    at: datetime, now: datetime, hours: OpeningHours, taken: frozenset[datetime]
) -> Hitch | None:
    if at <= now:
        return Hitch.PAST_TIME
    if not hours.is_open(at):
        return Hitch.CLOSED_TIME
    return Hitch.TAKEN if at in taken else None


def _on_next_day(
    slot: Slot, now: datetime, hours: OpeningHours, taken: frozenset[datetime]
) -> tuple[datetime, ...]:
    """On the next open day: the same time when it is free there, else the first ones."""
    base = max(slot.day or now.date(), now.date())
    day = hours.next_open_day(base if base - now.date() <= FARTHEST else now.date())
    if day is None:
        return ()
    free = list(free_starts(day, now=now, hours=hours, taken=taken))
    same = [at for at in free if at.time() == slot.at]
    return tuple(same) or _spread(free)


def _narrowed(free: list[datetime], when: When) -> list[datetime]:
    """Free times in the part of the day, or after or before the time, that was said."""

    def fits(at: datetime) -> bool:
        local = at.time()
        part = {
            None: True,
            DayPart.MORNING: local < _NOON,
            DayPart.AFTERNOON: _NOON <= local < _EVENING,
            DayPart.EVENING: local >= _EVENING,
        }[when.part]
        return part and _after(local, when.after) and _before(local, when.before)

    return [at for at in free if fits(at)] or free


def _after(local: time, wish: TimeWish | None) -> bool:
    return wish is None or local >= _likely(wish)


def _before(local: time, wish: TimeWish | None) -> bool:
    return wish is None or local <= _likely(wish)


def _likely(wish: TimeWish) -> time:
    late = not wish.sure and wish.hour < 7
    return time(wish.hour + 12 if late else wish.hour, wish.minute)


def _spread(free: Iterable[datetime]) -> tuple[datetime, ...]:
    """A few whole hours, spread over what is free; half hours where there are no others."""
    free = list(free)
    whole = [at for at in free if at.minute == 0] or free
    if len(whole) <= OFFERED:
        return tuple(whole)
    step = (len(whole) - 1) / (OFFERED - 1)
    return tuple(whole[round(place * step)] for place in range(OFFERED))


def _nearest(free: list[datetime], wanted: datetime) -> tuple[datetime, ...]:
    near = sorted(free, key=lambda at: (abs(at - wanted), at))[:OFFERED]
    return tuple(sorted(near))

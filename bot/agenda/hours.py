"""Reads a dealer's opening hours as he wrote them, and answers when the store is open.

Called by `lucas` (once for each text, then kept) and by whoever counts hours of opening time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from bot.agenda.closed import ClosedDays
from bot.reading.text import fold

HOLIDAY = 7
"""The place after the seven days of the week: what is written for holidays (`feriados 9h-13h`)."""
_WEEK = 7
_FARTHEST = 60
"""Days that are looked through for an open one; a store closed for longer has no next one."""
_COUNTED = 366
"""Days over which opening time is added up; a store that opens less is as good as always open."""
_DAYS = ("seg", "ter", "qua", "qui", "sex", "sab", "dom", "feriado")
_GROUPS = {
    "todos os dias": range(_WEEK), "todo dia": range(_WEEK), "diariamente": range(_WEEK),
    "dias uteis": range(5), "fim de semana": range(5, _WEEK), "fins de semana": range(5, _WEEK),
}  # fmt: skip
_PIECE = re.compile(
    r"(?P<group>todos os dias|todo dia|diariamente|dias uteis|fi[mn]s? de semana)"
    r"|\b(?P<day>seg|ter|qua|qui|sex|sab|dom|feriado)(?:unda|ca|rta|nta|ta|ado|ingo)?s?\b"
    r"(?:[ -]?feiras?)?"
    r"|(?<!\d)(?P<ordinal>[2-6])a\b(?:[ -]?feiras?)?"
    r"|(?P<noon>meio[ -]dia)"
    r"|(?<!\d)(?P<hour>[01]?\d|2[0-4])(?:(?: ?h(?:oras?|rs?|s)?|:)(?P<minute>[0-5]\d)?(?:h|hs|"
    r"hrs)?)?(?!\d)"
    r"|(?P<shut>fechad\w+|nao (?:abr|atend|funcion)\w+)"
    r"|(?P<to>\bate\b|\bas?\b|[-–—])"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Open from `start` until just before `end`."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The week of a store. Times are the dealer's local ones."""

    week: tuple[tuple[Span, ...], ...]
    """Monday first; an empty day is closed. The eighth: holidays."""
    closed: ClosedDays = field(default_factory=ClosedDays)

    def spans(self, day: date) -> tuple[Span, ...]:
        """When the store is open on this day, in order; nothing on a day that it is closed."""
        if self.closed.by_the_store(day):
            return ()
        if self.closed.holiday(day) is not None:
            return self.week[HOLIDAY]
        return self.week[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """True from the minute that a span begins until just before it ends."""
        local = at.time()
        return any(span.start <= local < span.end for span in self.spans(at.date()))

    def next_open_day(self, after: date) -> date | None:
        """The first day after this one on which the store opens."""
        days = (after + timedelta(days=ahead) for ahead in range(1, _FARTHEST))
        return next((day for day in days if self.spans(day)), None)

    def starts(self, day: date, *, step: timedelta) -> Iterator[time]:
        """The times at which a visit may begin that day: from each opening, one every `step`."""
        for span in self.spans(day):
            at, end = datetime.combine(day, span.start), datetime.combine(day, span.end)
            while at < end:
                yield at.time()
                at += step

    def add_open_time(self, since: datetime, open_for: timedelta) -> datetime:
        """When the store will have been open for so long since then; used for Lucas's return.

        Breaks, nights and holidays do not count. A store that opens for less than that in a year
        counts every hour. `since` has the dealer's zone.
        """
        left, day = open_for, since.date()
        for _ in range(_COUNTED):
            for span in self.spans(day):
                begin = max(datetime.combine(day, span.start, since.tzinfo), since)
                room = datetime.combine(day, span.end, since.tzinfo) - begin
                if room >= left:
                    return begin + left
                left -= max(room, timedelta())
            day += timedelta(days=1)
        return since + open_for

    def open_time(self, since: datetime, until: datetime) -> timedelta:
        """How long the store was open between the two, which have the dealer's zone.

        What `add_open_time` counts ahead; over more than a year every hour counts here, too.
        """
        days = (until.date() - since.date()).days
        if days > _COUNTED:
            return until - since
        total = timedelta()
        for ahead in range(days + 1):
            day = since.date() + timedelta(days=ahead)
            for span in self.spans(day):
                begin = max(datetime.combine(day, span.start, since.tzinfo), since)
                end = min(datetime.combine(day, span.end, since.tzinfo), until)
                total += max(end - begin, timedelta())
        return total


@lru_cache(maxsize=4096)
def opening_hours(horario: str | None, closed: ClosedDays) -> OpeningHours | None:
    """The hours in a dealer's words, or None where they cannot be understood: nothing is guessed.

    `seg a sex 8h-12h e 13h30-18h, sab 8h-12h`; `segunda a sábado das 9 às 18h, domingo fechado`.
    """
    week: list[list[Span]] = [[] for _ in range(HOLIDAY + 1)]
    for days, times in _groups(fold(horario or "")):
        if not days or len(times) % 2:
            return None
        spans = [Span(*pair) for pair in zip(times[::2], times[1::2], strict=True)]
        if any(span.start >= span.end for span in spans):
            return None
        for day in days:
            week[day] = sorted({*week[day], *spans}, key=lambda span: span.start)
    if not any(week[:_WEEK]):
        return None
    return OpeningHours(tuple(tuple(spans) for spans in week), closed)


def _groups(text: str) -> Iterator[tuple[list[int], list[time]]]:
    """Days and the times that follow them, group by group."""
    days: list[int] = []
    times: list[time] = []
    ranged = shut = False
    for piece in _PIECE.finditer(text):
        named = _named_days(piece)
        if named:
            if times or shut:
                yield days, times
                days, times, shut = [], [], False
            days += _up_to(days[-1], named[0]) if ranged and days else named
        elif piece["hour"] or piece["noon"]:
            times.append(_time(piece))
        shut |= piece["shut"] is not None
        ranged = piece["to"] is not None
    if days or times:
        yield days, times


def _named_days(piece: re.Match[str]) -> list[int]:
    if piece["group"]:
        return list(_GROUPS[piece["group"]])
    if piece["ordinal"]:  # 2ª is the second day of a week that begins on Sunday
        return [int(piece["ordinal"]) - 2]
    return [_DAYS.index(piece["day"])] if piece["day"] else []


def _up_to(first: int, last: int) -> list[int]:
    """The days after `first` until `last`, over the weekend if need be (sex a dom, dom a qui)."""
    if HOLIDAY in (first, last):
        return [last]
    return [(first + step) % _WEEK for step in range(1, (last - first) % _WEEK + 1)]


def _time(piece: re.Match[str]) -> time:
    if piece["noon"]:
        return time(12)
    hour, minute = int(piece["hour"]), int(piece["minute"] or 0)
    return time.max if hour == 24 else time(hour, minute)

"""Counts hours of a dealer's opening time. Called by `worker.drain.arrival` for Lucas's return.

Reads the hours as the dealer wrote them (`seg a sex 8h-12h e 13h30-18h, sáb 9h-13h`). What cannot
be understood counts as always open: then the hours are those of the clock.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, time, timedelta
from functools import lru_cache

_DAYS = ("seg", "ter", "qua", "qui", "sex", "sab", "dom")
_PIECE = re.compile(
    r"(?P<all>todos os dias|diariamente)"
    r"|\b(?P<day>seg|ter|qua|qui|sex|sab|dom)[a-z]*(?:-feira)?"
    r"|(?<!\d)(?P<hour>[01]?\d|2[0-4])(?:\s?[h:]\s?(?P<minute>[0-5]\d)?(?:hs?|rs)?)?(?!\d)"
    r"|(?P<to>\ba\b|\bate\b|-)"
)
_FARTHEST = 60
"""Days that are counted; a store that opens less than that is as good as always open."""

Spans = tuple[tuple[time, time], ...]


def after_open_hours(horario: str | None, since: datetime, hours: timedelta) -> datetime:
    """When a store with these opening hours will have been open for so long since then.

    `since` has the dealer's zone.
    """
    week = _week(horario or "")
    if week is None:
        return since + hours
    left = hours
    for ahead in range(_FARTHEST):
        day = since.date() + timedelta(days=ahead)
        for opens, closes in week[day.weekday()]:
            begin = max(datetime.combine(day, opens, since.tzinfo), since)
            room = datetime.combine(day, closes, since.tzinfo) - begin
            if room >= left:
                return begin + left
            left -= max(room, timedelta())
    return since + hours


def open_time(horario: str | None, since: datetime, until: datetime) -> timedelta:
    """How long a store with these opening hours was open between the two; both have its zone."""
    week = _week(horario or "")
    if week is None or (until - since).days > _FARTHEST:
        return max(until - since, timedelta())
    total, day = timedelta(), since.date()
    while day <= until.date():
        for opens, closes in week[day.weekday()]:
            begin = max(datetime.combine(day, opens, since.tzinfo), since)
            end = min(datetime.combine(day, closes, since.tzinfo), until)
            total += max(end - begin, timedelta())
        day += timedelta(days=1)
    return total


@lru_cache(maxsize=4096)
def _week(horario: str) -> tuple[Spans, ...] | None:
    """The spans of each day, Monday first; None where the words cannot be understood."""
    week: list[list[tuple[time, time]]] = [[] for _ in _DAYS]
    days: list[int] = []
    times: list[time] = []
    ranged = False
    pieces = [*_PIECE.finditer(_plain(horario))]
    for piece in pieces:
        named = list(range(7)) if piece["all"] else _named(piece["day"])
        if named:
            if times and not _settle(week, days, times):
                return None
            days = [] if times else days
            times = []
            days += _up_to(days[-1], named[0]) if ranged and days else named
        elif piece["hour"]:
            times.append(_time(piece))
        ranged = piece["to"] is not None
    if not times or not _settle(week, days, times):
        return None
    return tuple(tuple(sorted(spans)) for spans in week)


def _settle(week: list[list[tuple[time, time]]], days: list[int], times: list[time]) -> bool:
    """Writes down a group of days with its times; False when they make no sense."""
    spans = list(zip(times[::2], times[1::2], strict=False))
    if not days or len(times) % 2 or any(opens >= closes for opens, closes in spans):
        return False
    for day in days:
        week[day] = spans
    return True


def _named(day: str | None) -> list[int]:
    return [_DAYS.index(day)] if day else []


def _up_to(first: int, last: int) -> list[int]:
    """The days after `first` until `last`, over the weekend if need be."""
    return [(first + step) % 7 for step in range(1, (last - first) % 7 + 1)]


def _time(piece: re.Match[str]) -> time:
    hour = int(piece["hour"])
    return time.max if hour == 24 else time(hour, int(piece["minute"] or 0))


def _plain(text: str) -> str:
    flat = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in flat if not unicodedata.combining(c)).replace("–", "-")

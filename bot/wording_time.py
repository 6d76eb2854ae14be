"""How Lucas writes days, times and opening hours in Brazilian Portuguese. Called by `rules`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from bot.agenda.hours import OpeningHours, Span
from bot.wording import joined

WEEKDAYS = (
    "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado",
    "domingo",
)  # fmt: skip


def clock(at: time) -> str:
    """10h, 9h30."""
    return f"{at.hour}h{at.minute:02}" if at.minute else f"{at.hour}h"


def at_clock(at: time) -> str:
    """às 10h, à 1h."""
    return f"{'à' if at.hour in (0, 1) else 'às'} {clock(at)}"


def weekday(day: date) -> str:
    """sexta-feira."""
    return WEEKDAYS[day.weekday()]


def on_weekday(day: date) -> str:
    """na sexta-feira, no sábado."""
    return f"{'no' if day.weekday() >= 5 else 'na'} {weekday(day)}"


def dated(day: date) -> str:
    """28/11: nothing is booked so far ahead that the year is in doubt."""
    return f"{day:%d/%m}"


def day_words(day: date, today: date) -> str:
    """hoje, 24/11; amanhã (quarta-feira), 25/11; sábado, 28/11."""
    ahead = (day - today).days
    if ahead == 0:
        return f"hoje, {dated(day)}"
    if ahead == 1:
        return f"amanhã, {weekday(day)}, {dated(day)}"
    return f"{weekday(day)}, {dated(day)}"


def moment(at: datetime, today: date) -> str:
    """sábado, 28/11, às 10h."""
    return f"{day_words(at.date(), today)}, {at_clock(at.time())}"


def spans(open_: Sequence[Span]) -> str:
    """das 8h às 12h e das 13h30 às 18h."""
    return joined([f"das {clock(span.start)} {at_clock(span.end)}" for span in open_])


def choice(offers: Sequence[datetime]) -> str:
    """9h, 11h ou 16h."""
    return joined([clock(at.time()) for at in offers], "ou")


def week_words(hours: OpeningHours) -> str:
    """segunda a sexta, das 9h às 18h; sábado, das 9h às 13h: days of the same hours together."""
    runs: list[tuple[int, int]] = []
    for day in range(7):
        if not hours.week[day]:
            continue
        if runs and runs[-1][1] == day - 1 and hours.week[runs[-1][0]] == hours.week[day]:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return "; ".join(f"{_run(*run)}, {spans(hours.week[run[0]])}" for run in runs)


def _run(first: int, last: int) -> str:
    names = [name.removesuffix("-feira") for name in WEEKDAYS]
    if first == last:
        return names[first]
    return f"{names[first]} {'a' if last - first > 1 else 'e'} {names[last]}"

"""Opening hours, holidays and times are read as people write them, and never guessed."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agenda.closed import ClosedDays, dates, state_of
from bot.agenda.hours import HOLIDAY, opening_hours
from bot.reading.text import prepare
from bot.reading.when import find_when

ZONE = timezone(timedelta(hours=-3))
MONDAY = date(2026, 11, 23)


def week(text: str) -> list[str] | None:
    """Each day as `9:00-18:00`, or None where the words are not understood."""
    hours = opening_hours(text, ClosedDays())
    if hours is None:
        return None
    return [" ".join(f"{span.start:%H:%M}-{span.end:%H:%M}" for span in day) for day in hours.week]


WORK, SHORT = "09:00-18:00", "09:00-13:00"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("seg a sex 9h-18h, sab 9h-13h", [WORK] * 5 + [SHORT, "", ""]),
        ("Segunda a sexta das 9h às 18h; sábado das 9h às 13h", [WORK] * 5 + [SHORT, "", ""]),
        ("seg-sex 09:00-18:00 / sáb 09:00 às 13:00", [WORK] * 5 + [SHORT, "", ""]),
        ("todos os dias 9h-18h", [WORK] * 7 + [""]),
        ("2ª a 6ª 9h-18h, sáb. 9h-13h", [WORK] * 5 + [SHORT, "", ""]),
        (
            "De segunda à sexta-feira, das 09 às 18 horas. Sábados das 09 às 13 horas.",
            [WORK] * 5 + [SHORT, "", ""],
        ),
        ("Seg–Sex: 9:00–18:00 | Sáb: 9:00–13:00", [WORK] * 5 + [SHORT, "", ""]),
        ("de segunda a sábado, 9 às 18h. Domingo fechado", [WORK] * 6 + ["", ""]),
        ("dias úteis 9-18, fim de semana e feriados 9-13", [WORK] * 5 + [SHORT] * 3),
        ("terça a sexta 9h-18h, sábado e domingo 9h-13h", ["", *[WORK] * 4, SHORT, SHORT, ""]),
        ("sex a dom 9h às 18h", ["", "", "", "", WORK, WORK, WORK, ""]),
        (
            "seg a sex 8h-12h e 13h30-18h, sab 8h ao meio-dia",
            ["08:00-12:00 13:30-18:00"] * 5 + ["08:00-12:00", "", ""],
        ),
    ],
)
def test_a_week_is_read_in_the_dealers_words(text: str, days: list[str]) -> None:
    """Ranges and lists of days, breaks, closed days, holidays."""
    assert week(text) == days


@pytest.mark.parametrize(
    "text", ["", "é só chamar", "9h às 18h", "seg a sex", "seg 18h-9h", "seg 9h", "sab 25h-30h"]
)
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    """No days, no times, an odd number of times, an end before the start."""
    assert week(text) is None


@given(st.text(max_size=80) | st.text("segabdomx 0123456789hà-,.:;eu", max_size=60))
def test_any_words_give_hours_or_none(text: str) -> None:
    """Whatever a dealer writes: spans that begin before they end, in order, or nothing."""
    hours = opening_hours(text, ClosedDays())
    for day in () if hours is None else hours.week:
        assert all(span.start < span.end for span in day)
        assert list(day) == sorted(day, key=lambda span: span.start)


@given(st.text(max_size=80) | st.text("as 0123456789h:/diahojesg", max_size=40))
def test_any_words_give_a_when(text: str) -> None:
    """Total for every text; what it holds is a possible time."""
    said = find_when(prepare(text))
    for time in (said.time, said.after, said.before):
        assert time is None or (0 <= time.hour < 24 and 0 <= time.minute < 60)


def test_holidays_are_the_laws_and_the_dealers() -> None:
    """National, of the state, his own; he may work on one."""
    text = "todos os dias 9h-18h, feriados 9h-13h"
    sp = opening_hours(text, ClosedDays(uf="SP", own=dates("24/12"), open_on=dates("2026-09-07")))
    anywhere = opening_hours(text, ClosedDays())
    assert sp is not None
    assert anywhere is not None

    revolution = date(2026, 7, 9)
    assert sp.spans(revolution) == sp.week[HOLIDAY]
    assert anywhere.spans(revolution) == anywhere.week[revolution.weekday()]
    assert sp.spans(date(2026, 9, 7)) == sp.week[0]
    assert sp.spans(date(2030, 12, 24)) == ()
    assert sp.closed.holiday(date(2026, 4, 3)) == "Sexta-feira Santa"


@pytest.mark.parametrize(
    ("address", "uf"),
    [
        ("Rua A, 12, Juiz de Fora - MG", "MG"),
        ("Av. T-63, 1200, Goiânia - GO", "GO"),
        ("Rua A, São Paulo/SP, 01310-100", "SP"),
        ("Rua A, 12, Centro", None),
        (None, None),
    ],
)
def test_the_state_is_read_from_the_address(address: str | None, uf: str | None) -> None:
    """Two letters at the end; none where there are none."""
    assert state_of(address) == uf


@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        (datetime(2026, 11, 23, 10, tzinfo=ZONE), 2, datetime(2026, 11, 23, 12, tzinfo=ZONE)),
        (datetime(2026, 11, 23, 11, tzinfo=ZONE), 2, datetime(2026, 11, 23, 15, tzinfo=ZONE)),
        (datetime(2026, 11, 27, 17, tzinfo=ZONE), 4, datetime(2026, 11, 28, 11, tzinfo=ZONE)),
        (datetime(2026, 11, 28, 13, tzinfo=ZONE), 1, datetime(2026, 11, 30, 9, tzinfo=ZONE)),
    ],
)
def test_hours_of_opening_time_skip_breaks_nights_and_sundays(
    since: datetime, hours: int, until: datetime
) -> None:
    """What a return after so many hours of opening time is counted by."""
    opening = opening_hours("seg a sex 8h-12h e 14h-18h, sab 8h-12h", ClosedDays())
    assert opening is not None

    assert opening.add_open_time(since, timedelta(hours=hours)) == until


@given(
    st.integers(0, 330 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=minutes)
    ),
    st.integers(0, 40 * 3600),
    st.sampled_from(["seg a sex 8h30-12h e 13h30-18h, sáb 9h-13h", "seg a dom 0h-24h"]),
)
def test_open_time_is_what_was_counted_ahead(since: datetime, open_s: int, horario: str) -> None:
    """The two ways of counting opening time agree, to what 24h lacks of a day."""
    opening = opening_hours(horario, ClosedDays())
    assert opening is not None
    wanted = timedelta(seconds=open_s)

    until = opening.add_open_time(since, wanted)

    assert abs(opening.open_time(since, until) - wanted) < timedelta(milliseconds=1)


def test_a_weekend_is_no_opening_time() -> None:
    """From closing time on Saturday until opening time on Monday no minute counts."""
    opening = opening_hours("seg a sex 8h30-18h, sáb 9h-13h", ClosedDays())
    assert opening is not None
    saturday, monday = (
        datetime(2026, 11, 21, 13, tzinfo=ZONE),
        datetime(2026, 11, 23, 8, 30, tzinfo=ZONE),
    )
    assert opening.open_time(saturday, monday) == timedelta()

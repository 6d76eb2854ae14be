"""Hours of opening time, as dealers write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event
from worker.drain.opening import after_open_hours, open_time

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
WEEK = "seg a sex 8h30-12h e 13h30-18h, sáb 9h-13h"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Of November 2026, whose first Monday is the 2nd."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SAO_PAULO)


@pytest.mark.parametrize(
    ("horario", "since", "back"),
    [
        (WEEK, at(2, 9), at(2, 14, 30)),  # over lunch
        (WEEK, at(2, 17), at(3, 11, 30)),  # over night
        (WEEK, at(6, 17, 30), at(7, 12, 30)),  # Friday evening: Saturday counts
        (WEEK, at(7, 12), at(9, 11, 30)),  # over the weekend
        (WEEK, at(8, 3), at(9, 14)),  # Sunday, before opening
        ("segunda a sábado das 8 às 18h", at(7, 16), at(9, 10)),
        ("Todos os dias 8:00 às 20:00", at(8, 19), at(9, 11)),
        ("sex a dom 10h-14h", at(6, 13), at(7, 13)),
        ("ligue para saber", at(2, 17), at(2, 21)),
        ("seg a sex 18h-8h", at(2, 17), at(2, 21)),
        ("8h-18h", at(2, 17), at(2, 21)),
        (None, at(2, 17), at(2, 21)),
    ],
)
def test_four_hours_of_opening_time(horario: str | None, since: datetime, back: datetime) -> None:
    """Lunch, night and weekend do not count; words that say nothing leave the clock's hours."""
    assert after_open_hours(horario, since, timedelta(hours=4)) == back


@given(st.text(max_size=60), st.integers(min_value=0, max_value=10**7))
def test_any_words_give_a_time_that_is_not_past(horario: str, minutes: int) -> None:
    """Free text of people: never an error, never earlier than the hours of the clock."""
    start = at(2, 9) + timedelta(minutes=minutes)

    assert after_open_hours(horario, start, timedelta(hours=4)) >= start + timedelta(hours=4)


async def test_5_lucas_is_back_after_hours_of_opening_time(
    installation: Installation, shop: Shop
) -> None:
    """The dealer's own hours decide how long a seller's word holds."""
    await installation.central(
        "UPDATE empresas SET horario = 'dom 3h-3h30', versao = versao + 1 WHERE id = %s",
        (shop.empresa_id,),
    )

    await shop.handle(event("oi", kind=EventKind.HUMAN_ECHO, from_me=True))

    ((until, now),) = await shop.rows("SELECT bot_pausado_ate, UTC_TIMESTAMP() FROM conversations")
    assert until - now > timedelta(days=40)  # four hours, half an hour a week


async def test_5_a_dealer_says_himself_how_long_a_sellers_word_holds(shop: Shop) -> None:
    """`volta_apos_h` of his own settings; the platform's hours hold where he has none."""
    await shop.execute("INSERT INTO lucas_ajustes (nome, valor) VALUES ('volta_apos_h', '1.5')")

    await shop.handle(event("oi", kind=EventKind.HUMAN_ECHO, from_me=True))

    ((until, now),) = await shop.rows("SELECT bot_pausado_ate, UTC_TIMESTAMP() FROM conversations")
    assert timedelta(minutes=89) < until - now <= timedelta(minutes=90)


@given(
    st.integers(0, 330 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=SAO_PAULO) + timedelta(minutes=minutes)
    ),
    st.integers(0, 40 * 3600),
    st.sampled_from([WEEK, "seg a dom 0h-24h", "quando der", None]),
)
def test_open_time_is_what_was_counted_ahead(
    since: datetime, hours_s: int, week: str | None
) -> None:
    """The two ways of counting opening time agree, to what 24h lacks of a day."""
    wanted = timedelta(seconds=hours_s)

    until = after_open_hours(week, since, wanted)

    assert abs(open_time(week, since, until) - wanted) < timedelta(milliseconds=1)


def test_a_weekend_is_no_silence() -> None:
    """From closing time on Saturday until opening time on Monday no minute counts."""
    saturday = datetime(2026, 11, 21, 13, tzinfo=SAO_PAULO)
    assert open_time(WEEK, saturday, datetime(2026, 11, 23, 8, 30, tzinfo=SAO_PAULO)) == timedelta()

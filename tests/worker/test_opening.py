"""How long a person's word holds: hours of opening time, as dealers write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.profile import Profile
from schema.events import EventKind
from tenancy.registry import TenantConfig
from tenancy.target import Target
from tests.tenancy.installation import Installation
from tests.worker.shop import AT_ONCE, Shop, event
from worker.drain.arrival import IntakeRules

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
WEEK = "seg a sex 8h30-12h e 13h30-18h, sáb 9h-13h"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Of November 2026, whose first Monday is the 2nd."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SAO_PAULO)


def back(
    horario: str | None, since: datetime, *, address: str | None = None, **settings: str
) -> datetime:
    """When Lucas returns, four hours of opening time after a seller's word."""
    dealer = TenantConfig(
        empresa_id=1,
        target=Target(host="db", port=1, user="u", password=SecretStr("s"), database="d"),
        status="ativo",
        versao=1,
        bot_ativo=True,
        nome="Loja",
        endereco=address,
        telefone=None,
        horario=horario,
    )
    rules = IntakeRules(
        dealer=dealer,
        lucas=AT_ONCE,
        pause_after_human=timedelta(hours=4),
        zone=SAO_PAULO,
        profile=Profile.model_validate(settings),
    )
    return rules.paused_until(since)


@pytest.mark.parametrize(
    ("horario", "since", "until"),
    [
        (WEEK, at(9, 9), at(9, 14, 30)),  # over lunch
        (WEEK, at(9, 17), at(10, 11, 30)),  # over night
        (WEEK, at(6, 17, 30), at(7, 12, 30)),  # Friday evening: Saturday counts
        (WEEK, at(7, 12), at(9, 11, 30)),  # over the weekend
        (WEEK, at(8, 3), at(9, 14)),  # Sunday, before opening
        ("segunda a sábado das 8 às 18h", at(7, 16), at(9, 10)),
        ("Todos os dias 8:00 às 20:00", at(8, 19), at(9, 11)),
        ("sex a dom 10h-14h", at(6, 13), at(7, 13)),
        ("ligue para saber", at(9, 17), at(9, 21)),
        ("seg a sex 18h-8h", at(9, 17), at(9, 21)),
        ("8h-18h", at(9, 17), at(9, 21)),
        (None, at(9, 17), at(9, 21)),
    ],
)
def test_four_hours_of_opening_time(horario: str | None, since: datetime, until: datetime) -> None:
    """Lunch, night and weekend do not count; words that say nothing leave the clock's hours."""
    assert back(horario, since) == until


@pytest.mark.parametrize(
    ("since", "until", "settings"),
    [
        (at(1, 20), at(3, 14), {}),  # All Souls' Day, a Monday: the store is closed
        (at(1, 20), at(2, 14), {"abre_em_feriados": "02/11"}),
        (at(3, 17), at(5, 11, 30), {"feriados_da_loja": "04/11"}),
        (at(19, 17), at(21, 12), {}),  # Zumbi's Day, a Friday
    ],
)
def test_holidays_do_not_count(since: datetime, until: datetime, settings: dict[str, str]) -> None:
    """The same days as for visits: national ones and the dealer's own; he may work on one."""
    assert back(WEEK, since, **settings) == until


def test_holidays_of_the_state_do_not_count() -> None:
    """The state at the end of the store's address: 9 July is São Paulo's alone."""
    since = datetime(2026, 7, 8, 17, tzinfo=SAO_PAULO)
    words = "todos os dias 8h-18h"

    there = back(words, since, address="Rua A, 1, Campinas - SP")

    assert there == datetime(2026, 7, 10, 11, tzinfo=SAO_PAULO)
    assert back(words, since).day == 9


@given(st.text(max_size=60), st.integers(min_value=0, max_value=10**7))
def test_any_words_give_a_time_that_is_not_past(horario: str, minutes: int) -> None:
    """Free text of people: never an error, never earlier than the hours of the clock."""
    start = at(9, 9) + timedelta(minutes=minutes)

    assert back(horario, start) >= start + timedelta(hours=4)


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

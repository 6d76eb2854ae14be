"""The agenda: what is booked, moved, cancelled, refused; pure, so the clock is handed in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.profile import Profile
from bot.values import AgendaAction, Appointment, Dealer, VisitKind
from tests.bot.showroom import NOW, Chat, sent

ZONE = timezone(timedelta(hours=-3))
LUNCH = Dealer(
    nome="Ipê Automóveis",
    endereco="Av. T-63, 1200, Setor Bueno, Goiânia - GO",
    horario="seg a sex 8h-12h e 14h-18h, sab 8h-12h",
)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """A moment near the tests' now, which is Tuesday, 24 November 2026, 10:00."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "kind", "when"),
    [
        ("quero visitar a loja amanhã às 15h", "visita", at(25, 15)),
        ("posso ir aí sexta 9 e meia?", "visita", at(27, 9, 30)),
        ("marca um test drive pra quinta as 3 da tarde", "test_drive", at(26, 15)),
        ("dá pra testar depois de amanhã 11:15?", "test_drive", at(26, 11, 15)),
        ("agenda uma visita dia 28 as 9", "visita", at(28, 9)),
        ("agenda visita 05/12 às 10h", "visita", at(5, 10, month=12)),
        ("agenda visita hoje às 16h", "visita", at(24, 16)),
        ("agenda visita segunda ao meio dia", "visita", at(30, 12)),
        ("quero visitar sábado meio dia e meia", "visita", at(28, 12, 30)),
        ("agenda visita terça da semana que vem às duas", "visita", at(1, 14, month=12)),
        ("marca visita dia 3 de dezembro as 17", "visita", at(3, 17, month=12)),
        ("marca visita terça as 10", "visita", at(1, 10, month=12)),
        ("segunda não posso, marca visita quarta as 10", "visita", at(25, 10)),
    ],
)
def test_free_language_becomes_a_moment(text: str, kind: str, when: datetime) -> None:
    """Day and time as people say them, in the dealer's zone, booked at once."""
    decision = Chat().say(text)

    assert decision.agenda is not None
    assert decision.agenda.action is AgendaAction.BOOK
    assert decision.agenda.appointment == Appointment(kind=VisitKind(kind), at=when)
    assert decision.status == "negociando"
    assert f"{when:%d/%m}" in sent(decision)


@pytest.mark.parametrize(
    ("text", "asks", "says"),
    [
        ("posso visitar a loja domingo?", "date", "fechada|não abrimos"),
        ("posso visitar a loja dia 25/12 às 10h?", "date", "feriado .Natal."),
        ("quero visitar sábado às 16h", "time", "das 8h às 12h"),
        ("quero visitar amanhã às 13h", "time", "almoço"),
        ("quero visitar hoje às 9h", "time", "já passou"),
        ("quero visitar dia 20/11 às 9h", "date", "20/11 já passou"),
        ("quero visitar dia 31/02", "date", "calendário"),
        ("quero visitar amanhã às 18h", "time", "das 14h às 18h"),
        ("quero visitar amanhã de manhã", "time", "8h, 10h ou 11h"),
        ("quero visitar amanhã depois das 16h", "time", "16h ou 17h"),
        ("quero visitar semana que vem", "date", "dia"),
        ("quero marcar uma visita", "date", "dia"),
    ],
)
def test_what_cannot_be_is_said_and_asked_again(text: str, asks: str, says: str) -> None:
    """Never in the past, never outside opening hours, never at a guessed time."""
    decision = Chat(dealer=LUNCH).say(text)

    assert decision.agenda is None
    assert decision.asks == asks
    assert re.search(says, sent(decision))


def test_what_was_said_carries_over() -> None:
    """Kind, car, day and time come in any order, over several turns and an aside."""
    chat = Chat()
    chat.say("quero fazer um test drive no versa")
    assert chat.say("às 10").asks == "date"
    chat.say("onde fica a loja?")
    decision = chat.say("sexta")

    assert decision.agenda is not None
    assert chat.stored == Appointment(kind=VisitKind.TEST_DRIVE, at=at(27, 10), car_id=4, id=1)


def test_a_yes_takes_the_day_that_was_proposed() -> None:
    """Closed on that day: the next open one is named, and `pode ser` means it."""
    chat = Chat(dealer=LUNCH)
    assert "segunda-feira, 30/11" in sent(chat.say("posso visitar domingo às 10h?"))
    decision = chat.say("pode ser")

    assert decision.agenda is not None
    assert decision.agenda.appointment.at == at(30, 10)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("pode ser sexta?", at(27, 15)),
        ("na verdade melhor as 17h", at(26, 17)),
        ("1 hora mais cedo dá?", at(26, 14)),
        ("quinta não vai dar, pode ser sábado as 9?", at(28, 9)),
        ("preciso remarcar pra segunda no mesmo horário", at(30, 15)),
    ],
)
def test_a_new_time_replaces_the_old_one(text: str, when: datetime) -> None:
    """Never two active: the stored one is moved and stays about the same car."""
    chat = Chat()
    chat.say("quero ver o versa quinta as 15h")
    decision = chat.say(text)

    assert decision.agenda is not None
    assert decision.agenda.action is AgendaAction.MOVE
    assert chat.stored == Appointment(kind=VisitKind.VISITA, at=when, car_id=4, id=1)


def test_an_appointment_survives_days_and_can_be_asked_for_and_cancelled() -> None:
    """It comes from the agenda, not from the memory of the talk."""
    chat = Chat()
    chat.say("quero visitar a loja sexta as 15h")
    chat.state, chat.now = {}, NOW + timedelta(days=2)

    recalled = chat.say("que horas ficou mesmo?")
    assert recalled.agenda is None
    assert "15h" in sent(recalled)
    assert "amanhã" in sent(recalled)
    cancelled = chat.say("não vou mais poder ir, cancela")
    assert cancelled.agenda is not None
    assert cancelled.agenda.action is AgendaAction.CANCEL
    assert chat.stored is None
    assert chat.say("cancela a visita").agenda is None


def test_another_car_for_the_same_time() -> None:
    """`é pra ver o Cronos Drive`: the time stays."""
    chat = Chat()
    chat.say("quero visitar a loja sexta as 15h")
    chat.say("é pra ver o cronos drive")

    assert chat.stored == Appointment(kind=VisitKind.VISITA, at=at(27, 15), car_id=1, id=1)


def test_a_full_time_is_not_given_away() -> None:
    """What `taken` names is refused, and the nearest free times are offered."""
    from bot.lucas import decide
    from bot.values import Incoming, Turn
    from schema.events import EventKind
    from tests.bot.showroom import DEALER, STOCK

    turn = Turn(
        messages=(Incoming(kind=EventKind.TEXT, text="quero visitar amanhã às 15h"),),
        state={},
        taken=frozenset((at(25, 15),)),
    )
    decision = decide(turn, stock=STOCK, dealer=DEALER, now=NOW)

    assert decision.agenda is None
    assert "ocupado" in sent(decision)
    assert "14h, 14h30 ou 15h30" in sent(decision)


@pytest.mark.parametrize(
    "dealer",
    [
        Dealer(nome="Ipê", horario="é só chamar"),
        Dealer(nome="Ipê"),
        Dealer(nome="Ipê", horario="seg a sex 9h-18h", profile=Profile(visitas=False)),
    ],
)
def test_without_hours_or_with_the_switch_off_a_seller_agrees_on_the_time(dealer: Dealer) -> None:
    """Nothing is booked that nobody can keep."""
    decision = Chat(dealer=dealer).say("quero visitar a loja amanhã às 15h")

    assert decision.agenda is None
    assert decision.handoff == "schedule"


def test_the_dealers_own_closed_days_and_open_holidays_count() -> None:
    """A setting closes a day; another opens a holiday."""
    profile = Profile(feriados_da_loja="25/11", abre_em_feriados="08/12, 25/12/2026")
    dealer = Dealer(nome="Ipê", horario="seg a sex 9h-18h", profile=profile)

    assert Chat(dealer=dealer).say("quero visitar amanhã às 15h").asks == "date"
    assert Chat(dealer=dealer).say("quero visitar dia 25/12 às 15h").agenda is not None


WORDS = [
    "hoje", "amanhã", "sexta", "sábado", "domingo", "segunda", "dia", "28", "20/11", "às", "10",
    "15h", "9h30", "meio dia", "de manhã", "depois das", "16h", "mais cedo", "1 hora", "não posso",
    "remarca", "cancela", "visita", "test drive", "pode ser", "semana que vem", "mesmo horário",
    "versa", "25/12", "às 3", "13h", "que horas ficou", "sim",
]  # fmt: skip


@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), min_size=1, max_size=5),
    st.integers(0, 24 * 14),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_a_booking_is_ahead_and_in_hours(texts: list[str], later: int) -> None:
    """The agenda's invariants hold for any talk at any hour of two weeks."""
    chat = Chat(dealer=LUNCH, now=NOW + timedelta(hours=later))
    chat.say("quero marcar uma visita")
    for text in texts:
        before = chat.stored
        change = chat.say(text).agenda
        if change is None:
            continue
        assert (change.action is AgendaAction.BOOK) == (before is None)
        if change.action is not AgendaAction.CANCEL:
            when = change.appointment.at
            assert when > chat.now
            assert when.weekday() < 6
            assert (when.month, when.day) != (12, 25)
            open_ = [(8, 12), (14, 18)] if when.weekday() < 5 else [(8, 12)]
            assert any(first <= when.hour < last for first, last in open_)

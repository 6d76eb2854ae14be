"""Lucas reads a short answer by what he asked, and a day or an hour by what was said before."""

from __future__ import annotations

import pytest

from bot.stock import Stock
from bot.values import Car
from tests.bot.showroom import Chat, car, sent
from tests.bot.yard import talk


@pytest.mark.parametrize(
    "said",
    [
        "sou cliente de vocês, quero marcar pra ver ele sexta às 10h",
        "posso levar um amigo sexta às 10h?",
    ],
)
def test_who_comes_himself_is_booked(said: str) -> None:
    """A client or a friend that is named is no question about others."""
    assert talk("tem yaris?").say(said).understood["intent"] == "schedule"


def test_the_day_whose_hours_were_asked_for_is_the_day() -> None:
    """`que horas abre sábado?`, then `marca 10h`."""
    answer = talk("tem hr-v?", "que horas abre sábado?").say("marca 10h então")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%a %H:%M") == "Sat 10:00"


def test_hours_that_were_asked_for_are_no_appointment_in_the_making() -> None:
    """A wish for a car after them is a search."""
    answer = talk("que horas abre sábado?").say("quero ver os honda")
    assert answer.understood["intent"] == "search"


def test_so_long_from_now_is_a_time() -> None:
    """`chego em 1h`, at ten o'clock: at eleven."""
    answer = talk("tem hr-v?").say("chego aí em 1h")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%d %H:%M") == "24 11:00"


def test_about_an_hour_answers_the_question_for_the_time() -> None:
    """`10 e pouco` is no price then."""
    answer = talk("tem hr-v?", "quero ver sexta").say("10 e pouco")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.hour == 10


def test_who_stands_at_the_door_is_met_by_a_person() -> None:
    """`cheguei` is for the people in the store."""
    assert talk("tem hr-v?").say("cheguei").handoff == "human"


def test_the_time_after_the_old_one_counts() -> None:
    """`marquei 16h, dá pra mudar pra 17?`"""
    chat = talk("tem hr-v?")
    chat.say("quero ver amanhã às 16h")
    answer = chat.say("marquei 16h, dá pra mudar pra 17?")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.hour == 17


def test_a_hello_beside_another_time_moves_the_visit() -> None:
    """`opa, melhor quinta no mesmo horário`."""
    chat = talk("tem hr-v?", "quero ver amanhã às 16h")
    answer = chat.say("opa, melhor quinta no mesmo horário")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%a %H") == "Thu 16"


@pytest.mark.parametrize(
    ("before", "said", "told"),
    [
        ("aceita troca?", "sim", "seu carro"),
        ("suv até 150", "sim", "automático ou manual"),
        ("sedan", "pode ser", "qual deles"),
    ],
)
def test_a_yes_to_a_question_is_no_new_beginning(before: str, said: str, told: str) -> None:
    """What was asked is asked again, in fewer words."""
    chat = Chat(stock=Stock.build(_many()))
    chat.say(before)
    answer = chat.say(said)
    assert told in sent(answer).lower()
    assert answer.rule.startswith("yes.")


def _many() -> list[Car]:
    suvs = [car(n, "Jeep", f"Compass {n}", f"{90 + n}000") for n in range(1, 8)]
    return [*suvs, *(car(n, "Honda", f"Civic {n}", f"{60 + n}000") for n in range(11, 14))]


def test_down_payment_and_months_are_told_one_after_the_other() -> None:
    """`sim`, `10 mil`, `48`: each answers what was asked."""
    chat = talk("vocês financiam?", "sim", "10 mil")
    answer = chat.say("48")
    assert answer.understood["intent"] == "financing"
    assert answer.summary is not None
    assert "48" in answer.summary


def test_who_does_not_know_is_helped_and_in_the_end_met_by_a_person() -> None:
    """Twice he is guided, then a seller is called."""
    chat = talk("quero um carro")
    assert chat.say("não sei").rule == "guides"
    assert [chat.say("sei lá").rule, chat.say("nem sei").handoff][-1] == "stuck"


def test_a_word_for_the_hour_answers_the_question_for_the_time() -> None:
    """`umas duas`."""
    answer = talk("tem hr-v?", "quero ver amanhã à tarde").say("umas duas")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.hour == 14


@pytest.mark.parametrize("said", ["posso chegar 15 min depois?", "pode ser 15 minutos mais tarde?"])
def test_minutes_move_the_visit(said: str) -> None:
    """`15 min` are minutes, and no minimum."""
    chat = talk("tem hr-v?")
    chat.say("quero ver amanhã às 16h")
    answer = chat.say(said)
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%H:%M") == "16:15"


def test_who_will_be_late_wishes_for_no_price() -> None:
    """`uns 30 min` is no amount."""
    chat = talk("tem hr-v?")
    chat.say("quero ver hoje às 16h")
    assert not chat.say("vou me atrasar uns 30 min, tudo bem?").rule.startswith("search")

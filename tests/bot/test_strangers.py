"""Lucas understands what strangers say in a talk: whose car, which of those shown, a new wish."""

from __future__ import annotations

import pytest

from bot.reading.reader import read
from bot.stock import Stock
from tests.bot.showroom import Chat, car, sent, shown

LOT = Stock.build(
    (
        car(1, "Toyota", "Yaris 1.5 XS", "84000"),
        car(2, "Chevrolet", "Spin 1.8 LTZ", "62000"),
        car(3, "Fiat", "Siena 1.4", "40000"),
        car(4, "Ford", "Ranger 2.2 XLS", "139000"),
        car(5, "Volkswagen", "Gol 1.0", "35000"),
    )
)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("era um gol 2013 que eu queria dar na troca pela spin", "Spin"),
        ("aceita uma ranger 2013?", None),
        ("vcs pegariam um siena 2014 no negócio?", None),
        ("é que tô com um gol 2012 aqui e queria trocar", None),
        ("o carro que eu ia dar de entrada é um gol 2013", None),
        ("pegam gol 2014 na troca do yaris?", "Yaris"),
        ("e se eu der uma ranger 2012, quanto volto?", None),
    ],
)
def test_a_car_given_in_exchange_is_no_wish(said: str, wanted: str | None) -> None:
    """Whoever would give a car need not say `meu`: it is his, and not looked for in the stock."""
    reading = read(said, LOT, this_year=2026)
    assert reading.intent == "trade_in"
    assert reading.own_car
    assert reading.filters.spoken().get("model") == wanted


@pytest.mark.parametrize(
    "said",
    ["tem gol na troca?", "vou levar um gol", "estou com um gol em mente", "gol de entrada 10 mil"],
)
def test_a_wish_beside_words_of_exchange_stays_a_wish(said: str) -> None:
    """`na troca`, `de entrada`, `estou com um` alone make nobody's car."""
    reading = read(said, LOT, this_year=2026)
    assert reading.own_car is None
    assert reading.filters.spoken()["model"] == "Gol"


YARD = Stock.build(
    (
        car(1, "Honda", "HR-V 1.5 EXL", "142000", cambio="CVT", ano_modelo=2022, km=31_000),
        car(2, "Nissan", "Kicks 1.6 S", "69000", ano_modelo=2019, cor="Branco", km=84_000),
        car(3, "CAOA Chery", "Tiggo 5X 1.5", "94000", cambio="CVT", km=None, fotos=()),
        car(4, "Fiat", "Pulse 1.3 Abarth", "129000", cambio="Aut.", ano_modelo=2024, km=16_000),
        car(5, "Honda", "WR-V 1.5 EX", "84000", cambio="CVT", ano_modelo=2020, cor="Laranja"),
        car(6, "Honda", "Civic 2.0 LXR", "72000", cambio="Aut.", ano_modelo=2016),
        car(7, "Nissan", "Versa 1.6 SV", "52000", cambio="CVT", ano_modelo=2018),
        car(8, "Toyota", "Yaris 1.3 XL", "66000", ano_modelo=2019),
    )
)


def talk(*words: str) -> Chat:
    """A talk that has come so far."""
    chat = Chat(stock=YARD)
    for said in words:
        chat.say(said)
    return chat


@pytest.mark.parametrize(
    ("said", "cars"),
    [
        ("tem algum suv mais barato que ela?", [2, 3, 4, 5]),
        ("e suv mais novo que ele?", [4]),
        ("suv menos rodado que esse tem?", [4]),
        ("e sedan por menos que isso?", [6, 7]),
    ],
)
def test_better_than_this_one_is_measured_by_the_car_spoken_of(said: str, cars: list[int]) -> None:
    """Cheaper, newer, less driven than the HR-V, of the body that is said."""
    assert sorted(shown(talk("tem hr-v?").say(said))) == cars


@pytest.mark.parametrize(
    ("said", "cars"),
    [
        ("tem outro suv até 90 mas laranja?", [5]),
        ("outro suv tem?", [2, 3, 4, 5]),
        ("tem outros automáticos até 130?", [3, 4, 5]),
    ],
)
def test_another_one_is_a_wish_and_not_the_one_spoken_of(said: str, cars: list[int]) -> None:
    """`outro` with words of its own looks for cars; the one he has seen is not among them."""
    assert sorted(shown(talk("tem hr-v?").say(said))) == cars


def test_when_there_is_no_other_he_says_so() -> None:
    """The same car again is no other one."""
    answer = talk("tem yaris?").say("outro hatch até 80 mil?")
    assert answer.rule == "search.no_more"


@pytest.mark.parametrize(
    ("before", "said", "words"),
    [
        ("tem yaris?", "tem dele automático?", "Yaris automático"),
        ("tem hr-v?", "tem esse mesmo só que branco?", "HR-V na cor branco"),
        ("tem versa?", "tem ele híbrido?", "Versa híbrido"),
    ],
)
def test_the_same_model_otherwise_is_looked_for(before: str, said: str, words: str) -> None:
    """A variant of the car spoken of that is not there is said to be missing."""
    answer = talk(before).say(said)
    assert answer.considered == ()
    assert words in sent(answer)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("manda foto do honda mais novo", 1),
        ("quero o da honda mais barato desses, tem foto?", 5),
        ("desses, qual o honda mais barato?", 5),
    ],
)
def test_the_best_of_those_shown_that_are_so(said: str, number: int) -> None:
    """A brand and an order point at one of the list."""
    assert set(shown(talk("suv automático").say(said))) == {number}


def test_a_brand_of_two_words_points_at_the_car_shown() -> None:
    """`e a chery?` asks the question before again, of the one of this brand."""
    answer = talk("suv automático", "o da fiat tem quantos km?").say("e o da chery?")
    assert answer.understood["intent"] == "details"
    assert shown(answer) == [3]


def test_the_best_of_a_list_may_be_asked_about_at_once() -> None:
    """`o mais barato desses, qual km?` is a question, not a choice."""
    answer = talk("suv automático").say("o mais barato desses, qual km?")
    assert answer.understood["intent"] == "details"
    assert shown(answer) == [5]


def test_a_body_with_two_limits_is_a_new_wish() -> None:
    """What was wished of the model before does not bind it."""
    answer = talk("tem yaris híbrido?").say("e suv automático até 100 mil?")
    assert sorted(shown(answer)) == [3, 5]


def test_a_body_alone_goes_on_with_the_wish_before() -> None:
    """`e sedan?` is still automatic and within the budget."""
    answer = talk("suv automático até 60 mil").say("e sedan?")
    assert shown(answer) == [7]

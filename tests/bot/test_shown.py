"""Lucas hears what is said about the cars that the buyer has before his eyes."""

from __future__ import annotations

import pytest

from bot.stock import Stock
from tests.bot.showroom import Chat, car, sent, shown

LOT = Stock.build(
    (
        car(1, "Fiat", "Argo 1.0 Drive", "56900", cambio="Manual", km=58_000, ano_modelo=2020),
        car(2, "Fiat", "Argo 1.3 Trekking", "69900", cambio="Automático", km=31_000,
            ano_modelo=2022),
        car(3, "Honda", "HRV 1.8 EXL", "98900", cambio="CVT", km=68_000, ano_modelo=2019),
        car(4, "Jeep", "Renegade 1.8 Sport", "67900", cambio="Manual", km=None, ano_modelo=2018),
        car(5, "Renault", "Duster 1.6", "62900", cambio="Manual", km=85_000, ano_modelo=2017),
    )
)  # fmt: skip


def chat(*words: str) -> Chat:
    """A talk that has come so far."""
    talk = Chat(stock=LOT)
    for said in words:
        talk.say(said)
    return talk


def test_another_gearbox_goes_on_with_the_wish_before() -> None:
    """`e automático?` after manual ones is no question about the one that was shown."""
    answer = chat("argo manual").say("e automático?")

    assert answer.understood["intent"] == "search"
    assert shown(answer) == [2]


def test_a_gearbox_that_was_no_wish_is_a_question_about_the_car() -> None:
    """`ele é automático?` of the one car shown."""
    answer = chat("tem hrv?").say("ele é automático?")

    assert answer.understood["intent"] == "details"
    assert "CVT" in sent(answer)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("esse é o EXL?", "EXL"),
        ("é o EXL?", "EXL"),
        ("ele é suv?", "SUV"),
        ("é sedan?", "SUV"),
        ("é 1.8?", "1.8"),
        ("esse é turbo?", "1.8"),
    ],
)
def test_a_yes_or_no_question_is_answered_from_the_car(words: str, told: str) -> None:
    """Trim, body and engine of the car shown; what nobody wrote down will be checked."""
    answer = chat("tem hrv?").say(words)

    assert answer.understood["intent"] == "details"
    assert told in sent(answer)


@pytest.mark.parametrize(
    ("words", "which"),
    [
        ("qual o mais novo?", 3),
        ("qual deles é o mais velho?", 5),
        ("e o mais rodado?", 5),
        ("qual o menos rodado?", 3),
        ("e o mais caro?", 3),
        ("o mais em conta", 5),
    ],
)
def test_the_best_of_those_shown_is_one_of_them(words: str, which: int) -> None:
    """Either end of every order; an unknown mileage is neither end."""
    assert shown(chat("tem suv?").say(words)) == [which]


def test_the_best_of_two_is_one_of_the_last_two_although_more_were_shown() -> None:
    """`o mais barato dos dois`, after a list of three and two of them spoken of."""
    talk = chat("tem suv?", "o renegade tem ar?", "e o hrv?")

    assert shown(talk.say("qual o mais barato dos dois?")) == [4]


def test_what_no_longer_matters_is_not_wished_again() -> None:
    """`o câmbio tanto faz` holds for the turns after it too, whatever rule answers."""
    talk = chat("suv manual", "o câmbio tanto faz")

    assert shown(talk.say("até 100 mil")) == [5, 4, 3]


def test_one_brand_after_the_other_is_ruled_out() -> None:
    """A second exclusion does not bring the first one back; a wish for it does."""
    talk = chat("tem suv?", "tira os renault")
    assert shown(talk.say("e pula jeep também")) == [3]
    assert shown(talk.say("tem renault?")) == [5]


def test_it_is_the_first_one_of_an_order_that_was_asked_for() -> None:
    """`qual o carro mais barato?` shows several, `ele` is the first."""
    assert "58.000" in sent(chat("qual o carro mais barato?").say("quantos km ele tem?"))


@pytest.mark.parametrize(
    "words",
    ["vocês entregam em anápolis?", "mandam o carro pra brasília?", "tem frete pro interior?"],
)
def test_whether_the_store_delivers_is_for_the_team_to_say(words: str) -> None:
    """Nobody wrote it down: it is checked, and the seller finds the question."""
    answer = chat("oi").say(words)

    assert answer.understood["intent"] == "details"
    assert "confirm" in sent(answer).lower()
    assert answer.summary is not None
    assert "entrega" in answer.summary


@pytest.mark.parametrize(
    "words",
    ["quem comprou o renegade?", "me passa o contato de quem levou o argo", "e o zap do dono dele?",
     "qual o nome da pessoa que vai ver o hrv?"],
)  # fmt: skip
def test_other_peoples_data_is_refused_in_words(words: str) -> None:
    """Not merely talked past."""
    answer = chat("oi").say(words)

    assert answer.understood["intent"] == "off_topic"
    assert "Não posso passar" in sent(answer) or "não posso compartilhar" in sent(answer)


def test_a_family_is_named_as_the_dealer_writes_it() -> None:
    """His hyphens and accents, however the buyer and the lexicon spell it."""
    for said in ("hr-v", "HRV", "hr v"):
        assert chat().say(f"tem {said}?").understood["filters"] == {"model": "HRV"}


@pytest.mark.parametrize(
    ("models", "name"),
    [
        (("DOBLO 1.8",), "Doblo"),
        (("Doblò 1.8", "Doblo 1.4", "Doblo 1.4"), "Doblo"),
        (("doblò 1.8",), "Doblò"),
        (("Doblo 1.8", "Doblò 1.4"), "Doblò"),
    ],
)
def test_of_several_spellings_the_usual_one_counts(models: tuple[str, ...], name: str) -> None:
    """Odd capitals are not his spelling; of equals the last one written counts."""
    stock = Stock.build([car(at, "Fiat", model, "50000") for at, model in enumerate(models, 1)])

    assert Chat(stock=stock).say("tem doblo?").understood["filters"] == {"model": name}


def test_two_cars_wished_at_once_are_both_shown() -> None:
    """However many of the one are cheaper than the other."""
    many = [car(at, "Fiat", "Argo 1.0", f"{50 + at}000") for at in range(1, 7)]
    stock = Stock.build([*many, car(7, "Toyota", "Hilux 2.8 SRV CD", "180000")])
    answer = Chat(stock=stock).say("quero ver um argo e uma hilux")

    assert shown(answer) == [1, 2, 3, 7]


def test_back_to_the_hatch_of_the_same_name() -> None:
    """`e o hatch?` after a Yaris Sedan is the Yaris."""
    stock = Stock.build(
        [car(1, "Toyota", "Yaris 1.5 XL", "70000"), car(2, "Toyota", "Yaris Sedan 1.5", "80000")]
    )
    talk = Chat(stock=stock)

    assert shown(talk.say("yaris sedã tem?")) == [2]
    assert shown(talk.say("e o hatch?")) == [1]


def test_which_of_them_has_it_looks_past_the_model() -> None:
    """`qual deles tem?` after one that has it not: never that no advertisement speaks of it."""
    stock = Stock.build(
        [car(1, "Fiat", "Argo 1.0", "50000"),
         car(2, "Fiat", "Pulse 1.0", "90000", descricao="Teto solar.")]
    )  # fmt: skip
    talk = Chat(stock=stock)
    talk.say("tem argo?")
    talk.say("esse tem teto solar?")

    assert shown(talk.say("qual tem?")) == [2]

"""Lucas hears what only has a meaning after what was said before."""

from __future__ import annotations

from bot.stock import Stock
from tests.bot.showroom import Chat, car, sent, shown

TWINS = Stock.build(
    (
        car(1, "Chevrolet", "Onix 1.0 LT", "60000", cambio="Automático"),
        car(2, "Chevrolet", "Onix 1.0 Premier", "80000", cambio="Automático"),
        car(3, "Chevrolet", "Onix Plus 1.0", "75000", cambio="Automático"),
        car(4, "Chevrolet", "Onix Plus 1.0", "65000", cambio="Manual"),
        car(5, "Fiat", "Strada 1.3 Volcano CD", "95000"),
        car(6, "Fiat", "Strada 1.4 Working CS", "50000"),
        car(7, "Toyota", "Hilux 2.8 SRV CD", "180000", combustivel="Diesel"),
        car(8, "Renault", "Logan 1.0", "40000", descricao="Kit GNV não instalado."),
        car(9, "Fiat", "Siena 1.4", "42000", descricao="Kit GNV instalado."),
    )
)


def test_a_longer_name_goes_on_from_the_shorter_one() -> None:
    """`e o Plus?` after an Onix is an Onix Plus, and what was wished of it still holds."""
    chat = Chat(stock=TWINS)
    chat.say("tem onix automático?")

    assert shown(chat.say("e o plus?")) == [3]


def test_a_trim_goes_on_from_its_family() -> None:
    """`e Premier?` after an Onix, with the price that still holds: none, and that is said."""
    chat = Chat(stock=TWINS)
    chat.say("tem onix até 70?")
    answer = chat.say("e premier?")

    assert answer.understood["filters"] == {"model": "Onix Premier", "price_max": 70000}
    assert "Onix Premier do jeito que você pediu" in sent(answer)


def test_a_cabin_narrows_pickups_of_any_model() -> None:
    """`cabine dupla` names no model."""
    chat = Chat(stock=TWINS)
    chat.say("tem picape?")

    assert shown(chat.say("cabine dupla")) == [5, 7]


def test_the_better_of_two_may_have_been_shown_apart() -> None:
    """`qual dos dois é mais barato?` of two that were asked for one after the other."""
    chat = Chat(stock=TWINS)
    chat.say("tem onix premier?")
    chat.say("e hilux?")

    assert "80.000" in sent(chat.say("qual dos dois é mais barato?"))


def test_a_correction_keeps_the_rest_of_the_wish() -> None:
    """`na verdade até 100` changes the price alone."""
    chat = Chat(stock=TWINS)
    chat.say("picape até 60 mil")

    assert shown(chat.say("na verdade até 100")) == [6, 5]


def test_who_finds_one_dear_and_asks_for_cheaper_sees_cars() -> None:
    """It is a wish, not a bargain."""
    chat = Chat(stock=TWINS)
    chat.say("tem hilux?")

    assert shown(chat.say("muito cara, tem outra mais em conta?")) == [6, 5]


def test_what_an_advertisement_denies_is_not_there() -> None:
    """`Kit GNV não instalado` is no car with GNV."""
    assert shown(Chat(stock=TWINS).say("tem carro com gnv?")) == [9]


def test_a_person_is_offered_again_after_every_two_empty_turns() -> None:
    """He who finds nothing is not left alone with lists."""
    chat = Chat(stock=TWINS)
    offered = ["vendedor" in sent(chat.say(f"tem {brand}?")) for brand in ("bmw", "audi")]
    offered += ["vendedor" in sent(chat.say(f"tem {brand}?")) for brand in ("volvo", "ferrari")]

    assert offered == [False, True, False, True]


def test_eight_times_the_same_is_never_the_same_word_for_word() -> None:
    """Whatever a buyer says over and over, no bubble of Lucas comes twice."""
    chat = Chat(stock=TWINS)
    said = [sent(chat.say("tem onix?")) for _ in range(8)]

    assert len(set(said)) == len(said)


def test_a_year_points_at_one_of_the_cars_shown() -> None:
    """`o 2019` of two that were shown, and `o outro` is then the other one."""
    pair = (
        car(1, "Jeep", "Compass 2.0", "90000", ano_modelo=2019),
        car(2, "Jeep", "Compass 2.0", "120000"),
    )
    chat = Chat(stock=Stock.build(pair))
    chat.say("tem compass?")

    assert "R$ 90.000" in sent(chat.say("o 2019"))
    assert "R$ 120.000" in sent(chat.say("e o outro?"))

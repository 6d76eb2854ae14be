"""A buyer who chooses one of the cars that Lucas listed gets that car, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.lucas import decide
from bot.stock import Stock
from bot.values import Decision, Incoming, Turn
from bot.wording import car_option, chosen_car
from schema.events import EventKind
from tests.bot.showroom import CARS, DEALER, NOW, STOCK, Chat, sent, shown


def choose(chat: Chat, option_id: str, text: str | None = None, stock: Stock = STOCK) -> Decision:
    """A turn with a tapped option, or one that was answered as text."""
    message = Incoming(kind=EventKind.INTERACTIVE, text=text, option_id=option_id)
    return decide(Turn(messages=(message,), state=chat.state), stock=stock, dealer=DEALER, now=NOW)


def test_several_cars_are_options_in_the_order_shown() -> None:
    """The numbers in the text are those of the options; one car alone is no choice."""
    chat = Chat()
    several, one = chat.say("cronos"), Chat().say("tem versa?")

    assert [chosen_car(option.id) for option in several.bubbles[0].options] == shown(several)
    assert "1. Fiat Cronos" in sent(several)
    assert one.bubbles[0].options == ()


def test_options_survive_the_greeting() -> None:
    """The first answer is put together anew, with the dealer's name in it."""
    first = Chat().say("oi, tem cronos?")

    assert "Lucas, assistente virtual da" in sent(first)
    assert len(first.bubbles[0].options) == 2


@pytest.mark.parametrize("text", [None, "2", "Fiat Cronos 1.8 Precision"])
def test_the_chosen_car_is_told_about(text: str | None) -> None:
    """Whatever its text reads like by itself, and also without any."""
    chat = Chat()
    chat.say("cronos")

    assert shown(choose(chat, "car:2", text)) == [2]


def test_what_he_asks_about_his_choice_is_answered() -> None:
    """A number together with a wish: the photos are those of that car."""
    chat = Chat()
    chat.say("cronos")
    turn = Turn(
        messages=(
            Incoming(kind=EventKind.TEXT, text="2", option_id="car:2"),
            Incoming(kind=EventKind.TEXT, text="manda foto"),
        ),
        state=chat.state,
    )
    answer = decide(turn, stock=STOCK, dealer=DEALER, now=NOW)

    assert answer.rule == "photos.sent"
    assert shown(answer) == [2]


def test_a_car_that_went_meanwhile_is_not_swapped_for_another() -> None:
    """The second of the list was sold: nobody moves up to its number."""
    chat = Chat()
    chat.say("cronos")
    later = Stock.build([replace(car, status="sold") if car.id == 2 else car for car in CARS])
    answer = choose(chat, "car:2", "2", later)

    assert answer.rule == "search.gone"
    assert "já foi vendido" in sent(answer)
    assert shown(answer) == []


@pytest.mark.parametrize("option_id", ["visit:1", "car:", "car:x", "car:999", "", "car:²"])
def test_other_options_choose_no_car(option_id: str) -> None:
    """A template's button, a car of another stock: the text is read as ever."""
    chat = Chat()

    assert shown(choose(chat, option_id, "tem versa?")) == [4]


def test_options_fit_what_whatsapp_shows() -> None:
    """Whatever a dealer writes into his stock."""
    for text in ("", " ", "x" * 300):
        item = Stock.build([replace(CARS[0], marca=text, modelo=text, cor=text)]).known(1)
        assert item is not None
        option = car_option(item)
        assert 1 <= len(option.title) <= 24
        assert chosen_car(option.id) == 1

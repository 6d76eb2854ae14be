"""Lucas talks like a person: each talk in its own words, short, and nothing twice."""

from __future__ import annotations

import pytest

from bot.rules.talk import drawn
from tests.bot.showroom import NOW, Chat, sent, shown


def test_a_talk_has_its_own_words_and_always_the_same() -> None:
    """Many talks that begin alike do not read alike; one of them replayed does, word for word."""
    said = {sent(Chat(state={"seed": seed}).say("oi, tem versa?")) for seed in range(1, 13)}
    again = {sent(Chat().say("oi, tem versa?")) for _ in range(5)}

    assert len(said) > 2
    assert len(again) == 1


def test_the_seed_is_the_talks_and_stays() -> None:
    """By the first words and their time; kept, so that a turn taken anew finds the same."""
    chat = Chat()
    chat.say("oi")
    first = chat.state["seed"]
    chat.say("tem versa?")

    assert chat.state["seed"] == first == drawn("oi", NOW)
    assert drawn("oi", NOW) != drawn("olá", NOW)


def test_a_wish_that_changes_nothing_is_said_in_a_sentence() -> None:
    """The same list is not sent twice in a row; its cars are still what the answer is about."""
    chat = Chat()
    before = chat.say("tem cronos?")
    after = chat.say("até 200 mil")

    assert after.rule == "search.same"
    assert shown(after) == shown(before)
    assert "\n" not in sent(after)
    assert chat.say("o segundo").considered == (shown(before)[1],)


@pytest.mark.parametrize("text", ["vai se ferrar", "seu idiota", "vai tomar no cu, fdp"])
def test_an_insult_is_answered_calmly(text: str) -> None:
    """No Ferrari is looked for; a person is offered, and a yes then means him."""
    chat = Chat()
    chat.say("tem versa?")
    assert chat.say(text).rule == "rude"
    assert chat.say("sim").handoff == "asked"


@pytest.mark.parametrize("text", ["que merda de atendimento", "o atendimento de vocês é péssimo"])
def test_who_speaks_ill_of_the_store_gets_a_person(text: str) -> None:
    """A complaint: Lucas is silent afterwards."""
    assert Chat().say(text).handoff == "complaint"


@pytest.mark.parametrize(("text", "thanked"), [("entendi", False), ("valeu!", True)])
def test_only_thanks_are_thanked_for(text: str, thanked: bool) -> None:
    """`Por nada` to an `entendi` is a machine's."""
    chat = Chat(state={"greeted": True, "seed": 3})
    words = ("Por nada", "Imagina", "Eu que agradeço")

    assert sent(chat.say(text)).startswith(words) is thanked


def test_he_says_once_who_he_is() -> None:
    """Asked in the first message, the greeting does not say it before the answer."""
    for seed in (1, 2):
        told = sent(Chat(state={"seed": seed}).say("você é um robô?"))
        assert told.count("assistente virtual") == told.count("Lucas") == 1


def test_what_columns_say_is_a_sentence_about_the_car() -> None:
    """`O Nissan Versa está com 50.000 km e é branco`, not a list after `Sobre`."""
    told = sent(Chat().say("qual a km e a cor do versa?"))

    assert "O Nissan Versa 1.6 SL está com 50.000 km e é " in told


def test_who_sells_his_car_is_asked_for_what_he_left_out() -> None:
    """And a bare mileage then is that car's."""
    chat = Chat()
    chat.say("quero vender meu carro")
    assert "quantos km" in sent(chat.say("é um civic 2016"))
    assert "120 mil km" in (chat.say("120 mil km").summary or "")

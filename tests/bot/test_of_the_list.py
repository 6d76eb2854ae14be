"""Lucas goes on with the cars just shown: better than this, another one, which of them is so."""

from __future__ import annotations

import pytest

from tests.bot.showroom import sent, shown
from tests.bot.yard import talk


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


def test_the_newest_of_a_model_is_the_one_spoken_of() -> None:
    """`quanto tá o honda mais novo?`, then `ele` is that one."""
    answer = talk("quanto tá o honda mais novo?").say("manda foto dele")
    assert set(shown(answer)) == {1}


def test_what_is_like_a_car_is_its_kind_near_its_price() -> None:
    """And not the one that he has before his eyes."""
    answer = talk("tem tiggo?").say("o que tem parecido?")
    assert answer.rule == "search.similar"
    assert shown(answer)[0] == 5
    assert 3 not in shown(answer)


def test_the_price_of_a_list_is_told_of_each() -> None:
    """`quanto custa?` does not bring the same list again."""
    answer = talk("sedan ou hatch").say("quanto custa?")
    assert answer.rule == "search.prices"
    assert all(price in sent(answer) for price in ("72.000", "52.000", "66.000"))


def test_who_wants_to_hear_of_one_is_noted() -> None:
    """The seller finds it under what to check."""
    answer = talk().say("me avisa quando chegar uma spin?")
    assert answer.summary is not None
    assert "avisar se chegar Spin" in answer.summary


def test_limits_after_a_missing_model_narrow_what_was_offered() -> None:
    """Of a model that is not there none fits any limit."""
    answer = talk("tem renegade?").say("até 90 mil?")
    assert sorted(shown(answer)) == [2, 5]


def test_who_asks_whether_it_is_still_there_is_told_so() -> None:
    """First that, then the car."""
    assert "disponível" in sent(talk("tem hr-v?").say("tá reservado?"))


def test_which_of_those_shown_is_so() -> None:
    """`qual das duas é automática?` looks among them, not through the stock."""
    chat = talk("o kicks e o tiggo, qual a diferença?")
    assert shown(chat.say("qual dos dois é automático?")) == [3]
    assert "câmbio" in sent(chat.say("e esse tem que câmbio?"))


def test_when_none_of_those_shown_is_so_he_says_so() -> None:
    """And shows no other list."""
    answer = talk("o kicks e o tiggo, qual a diferença?").say("qual deles é híbrido?")
    assert answer.considered == ()
    assert "nenhum" in sent(answer)


def test_or_another_one_widens_the_wish() -> None:
    """`ou branco` after a colour: any of both."""
    answer = talk("carro laranja").say("ou branco")
    assert sorted(shown(answer)) == [2, 5]


def test_another_brand_is_not_that_of_the_one_shown() -> None:
    """`e de outra marca?` after the one Yaris: of its kind."""
    answer = talk("tem versa?").say("e de outra marca?")
    assert shown(answer) == [6]


def test_a_model_and_its_price_point_at_one() -> None:
    """`o kicks de 69` is the one of 69.000."""
    assert shown(talk("suv").say("o kicks de 69, qual a cor?")) == [2]

"""A booked visit is moved through whatever stands around the new time, and by nothing else."""

from __future__ import annotations

import pytest

from bot.reading.text import prepare
from bot.reading.when import find_when
from bot.reading.worth import worth_of_his, worth_of_it
from bot.rules.documents import pays_here, sends_document


@pytest.mark.parametrize(
    ("said", "weekday"),
    [
        ("opa, quinta é meu plantão, põe sexta", 4),
        ("antecipa pra quarta se der, quinta vou viajar", 2),
        ("quinta é minha folga, vou aí", 3),
        ("quinta eu trabalho o dia todo", None),
    ],
)
def test_a_day_on_which_he_is_busy_is_no_wish(said: str, weekday: int | None) -> None:
    """Of two days the one that is only the reason is left out."""
    when = find_when(prepare(said))
    assert (when.day.weekday if when.day else None) == weekday
    assert when.says_something()


def test_a_refused_part_of_the_day_leaves_the_other() -> None:
    """`de manhã não posso` is no wish for the morning."""
    when = find_when(prepare("de manhã não posso, só de tarde"))
    assert when.part == "tarde"
    assert find_when(prepare("de tarde não dá mais")).vague_time


def test_what_he_expects_for_his_car_is_told_from_a_year_or_a_mileage() -> None:
    """`pegam um Logan 2015 nele?` names no price."""
    assert worth_of_it("acha que pagam uns 60 nele")
    assert worth_of_his("imagino uns 25 pelo meu")
    assert not worth_of_it("voces pegam um logan 2015 nele")
    assert not worth_of_it("faz por 100 o corolla")


def test_documents_of_a_buyer_are_told_from_those_of_a_car() -> None:
    """`o documento do carro está em dia?` is a question about the car."""
    assert sends_document("precisa mandar meu cpf por aqui")
    assert not sends_document("o documento do carro esta em dia")
    assert pays_here("qual a chave pix")
    assert not pays_here("tem desconto no pix")

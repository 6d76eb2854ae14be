"""Lucas understands what strangers say in a talk: whose car, which of those shown, a new wish."""

from __future__ import annotations

import pytest

from bot.reading.reader import read
from bot.stock import Stock
from tests.bot.showroom import car

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

"""Lucas reads kinds of wording, not the words of one example, and is not fooled by their likes."""

from __future__ import annotations

from typing import Any

import pytest

from bot.reading.reader import read
from bot.stock import Stock
from tests.bot.showroom import car

LOT = Stock.build(
    (
        car(1, "Toyota", "Corolla 2.0 XEi", "100000"),
        car(2, "Toyota", "Corolla Cross 2.0", "130000"),
        car(3, "Fiat", "Argo 1.0 Drive", "50000"),
        car(4, "Chevrolet", "Onix Plus 1.0", "70000"),
        car(5, "Chevrolet", "Onix 1.0 LT", "60000"),
        car(6, "Toyota", "Yaris Sedan 1.5", "80000"),
        car(7, "Hyundai", "HB20 1.0 Comfort Plus", "55000"),
        car(8, "Chevrolet", "Spin 1.8", "70000"),
    )
)


def understood(said: str) -> tuple[str, dict[str, Any]]:
    """The intent that counts and the filters."""
    reading = read(said, LOT, this_year=2026)
    return reading.intent.value, reading.filters.spoken()


@pytest.mark.parametrize(
    ("said", "filters"),
    [
        ("corolla crós", {"model": "Corolla Cross"}),
        ("corolla croos ainda tem?", {"model": "Corolla Cross"}),
        ("onix, o plus", {"model": "Onix Plus"}),
        ("yaris sedã", {"model": "Yaris Sedan"}),
        ("tem onix seda?", {"model": "Onix Plus"}),
        ("corolla ou o cross?", {"model": "Corolla"}),
        ("corolla claro", {"model": "Corolla"}),
        ("hb20 comfort plus", {"model": "HB20 Comfort Plus"}),
    ],
)
def test_a_longer_name_is_heard_by_its_second_half(said: str, filters: dict[str, Any]) -> None:
    """Misspelt just after the first half, or named after it; a trim stays a trim."""
    assert understood(said)[1] == filters


@pytest.mark.parametrize(
    ("said", "filters"),
    [
        ("inté 50", {"price_max": 50000}),
        ("té 50", {"price_max": 50000}),
        ("2016 ou mais velho", {"year_max": 2016}),
        ("2016 e anteriores", {"year_max": 2016}),
        ("2016 ou mais", {"year_min": 2016}),
        ("2016 ou mais novo", {"year_min": 2016}),
        ("a partir de 60, quer dizer, até 60", {"price_max": 60000}),
        ("até 50, aliás 60", {"price_max": 60000}),
        ("até 50 mil km, digo, até 60 mil km", {"mileage_max": 60000}),
        ("2018, digo, 2019 pra cima", {"year_min": 2019}),
        ("até 50 mil km e até 60 mil", {"mileage_max": 50000, "price_max": 60000}),
        ("de 50 até 60 mil", {"price_min": 50000, "price_max": 60000}),
    ],
)
def test_limits_are_read_as_they_are_said(said: str, filters: dict[str, Any]) -> None:
    """In dialect, downwards, and taken back in the same breath."""
    assert understood(said)[1] == filters


@pytest.mark.parametrize(
    ("said", "intent", "filters"),
    [
        ("meu carro é 2012, quero trocar no argo", "trade_in", {"model": "Argo"}),
        ("troco meu 2016 no argo", "trade_in", {"model": "Argo"}),
        ("aceita carro 2010 na troca pelo argo?", "trade_in", {"model": "Argo"}),
        ("carro 2010", "search", {"year_min": 2010, "year_max": 2010}),
        ("não entra no meu orçamento", "unclear", {}),
    ],
)
def test_the_year_of_his_own_car_is_no_wish(
    said: str, intent: str, filters: dict[str, Any]
) -> None:
    """It has no name beside it, only words that say whose car it is."""
    assert understood(said) == (intent, filters)


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("do mais novo pro mais velho", "search"),
        ("o de menor km", "search"),
        ("do mais caro pro mais barato", "search"),
        ("faz um preço menor pro argo?", "negotiate"),
        ("vou levar o argo, como eu pago?", "buy"),
        ("como posso pagar o argo?", "search"),
        ("tô indo aí amanhã cedo", "schedule"),
        ("posso passar aí amanhã pra ver o argo?", "schedule"),
        ("posso passar minha visita pra sexta?", "reschedule"),
        ("dá pra passar pra mais tarde?", "reschedule"),
        ("como que chega aí?", "location"),
        ("a spin vai quantas pessoa?", "details"),
        ("quantas pessoa cabe na spin?", "details"),
        ("vocês mandam o argo pra anápolis?", "details"),
        ("vocês mandam foto do argo pra mim?", "photos"),
        ("levam em média quanto tempo?", "unclear"),
        ("brigadim", "thanks"),
        ("tamo junto", "thanks"),
        ("quem comprou o argo?", "off_topic"),
        ("o argo tem chave reserva?", "details"),
        ("mando o pix pra qual chave?", "buy"),
    ],
)
def test_the_intent_is_that_of_its_kind(said: str, intent: str) -> None:
    """Colloquial ways to say a thing, and words that look like them."""
    assert understood(said)[0] == intent


@pytest.mark.parametrize(
    ("said", "filters"),
    [
        ("tira os fiat", {"exclude": {"brand": ["Fiat"]}}),
        ("não me mostra fiat", {"exclude": {"brand": ["Fiat"]}}),
        ("fiat nem pensar", {"exclude": {"brand": ["Fiat"]}}),
        ("fiat, deus me livre", {"exclude": {"brand": ["Fiat"]}}),
        ("me mostra os fiat", {"brand": "Fiat"}),
        ("tira foto do fiat argo", {"brand": "Fiat", "model": "Argo"}),
    ],
)
def test_an_order_to_leave_out_is_no_wish(said: str, filters: dict[str, Any]) -> None:
    """Whatever verb says it, before the name or after it."""
    assert understood(said)[1] == filters


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("pode ser qualquer cor", {"color"}),
        ("câmbio pra mim tanto faz", {"transmission"}),
        ("não importa o preço", {"price"}),
        ("a km não faz diferença", {"mileage"}),
        ("pode ser automático ou manual", {"transmission"}),
        ("é automático ou manual?", set()),
        ("que cor tem?", set()),
    ],
)
def test_what_does_not_matter_is_told(said: str, free: set[str]) -> None:
    """Before the word or after it; a question frees nothing."""
    assert read(said, LOT, this_year=2026).free == free


@pytest.mark.parametrize(
    ("said", "intent", "filters"),
    [
        ("tive um argo 2012, agora quero um sedan", "search", {"body": "sedan"}),
        ("vendi meu onix 2018, preciso de um sedan", "search", {"body": "sedan"}),
        ("dou meu sedan 2014 na troca do argo", "trade_in", {"model": "Argo"}),
        ("minha esposa tem um onix 2017, troca no argo?", "trade_in", {"model": "Argo"}),
        ("tinham um argo preto, ainda tem?", "search", {"model": "Argo", "color": "preto"}),
        ("minha mulher quer um sedan", "search", {"body": "sedan"}),
    ],
)
def test_a_car_that_he_had_is_no_wish(said: str, intent: str, filters: dict[str, Any]) -> None:
    """Nor is one that he has, told by its body; what others want stays a wish."""
    assert understood(said) == (intent, filters)

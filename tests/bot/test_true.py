"""No invented facts: what Lucas states is in the stock, in the settings or in the buyer's words.

Random stocks and random talks; each amount, mileage, year, photo, status and other number of every
reply is looked up.
"""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reading.text import fold
from bot.stock import Stock
from bot.values import Car, Decision
from tests.bot.showroom import DEALER, Chat, sent

MODELS = [
    ("Fiat", "Cronos 1.3 Drive"), ("Fiat", "Strada 1.4 CS"), ("VW", "T-Cross 1.0 TSI"),
    ("Peugeot", "208 1.6"), ("Peugeot", "2008 Griffe"), ("Honda", "Civic 2.0 EXL"),
    ("Honda", "City 1.5"), ("Toyota", "Corolla 2.0 XEi"), ("Chevrolet", "S10 2.8 4x4"),
    ("Troller", "T4"), ("Chevrolet", "Onix 1.0"), ("Hyundai", "HB20 1.6"), ("", ""),
    ("BYD", "Dolphin Mini"), ("Marca Nova", "Zeta 900"), ("Citroën", "C3 1.2 Live"),
]  # fmt: skip
ADVERTS = [
    None, "", "IPVA 2026 pago. Único dono.", "7 lugares, 4x4. Placa ABC1D23.", "Laudo aprovado",
    "Garantia até 12/2027; revisões feitas", "Pneus novos, 2 chaves",
]  # fmt: skip
WORDS = [
    "tem", "cronos", "strada", "208", "2008", "civic", "corolla", "s10", "onix", "hb20", "zeta",
    "t-cross", "até", "75", "mil", "60k", "km", "2019", "pra cima", "o segundo", "o mais barato",
    "foto", "quanto tá", "mais barato", "não", "menos", "branco", "sedan", "suv", "picape", "oi",
    "automático", "sim", "ipva", "donos", "troca", "meu gol 2014", "120 mil km", "48x", "desconto",
    "faz por", "entrada", "20 mil", "qual a diferença", "os dois", "e a km?", "outros", "amanhã",
    "sábado", "às 10", "visita", "test drive", "remarca", "cancela", "que horas ficou", "vou levar",
    "onde fica", "abre domingo?", "obrigado", "tipo um civic", "tanto faz a cor", "o que ele tem",
    "juros", "placa", "ainda tem", "diesel", "1.0", "?", "ele", "e", "qual", "dia 28", "14h",
]  # fmt: skip

cars = st.builds(
    lambda number, model, price, km, year, color, box, fuel, advert, status, photos: Car(
        id=number,
        marca=model[0],
        modelo=model[1],
        ano=year,
        ano_modelo=None if year is None else year + 1,
        preco=Decimal(price) / 100,
        km=km,
        cor=color,
        combustivel=fuel,
        cambio=box,
        descricao=advert,
        status=status,
        fotos=tuple(f"https://img.example/{number}/{place}.jpg" for place in range(photos)),
    ),
    st.integers(1, 10**6),
    st.sampled_from(MODELS),
    st.integers(0, 30_000_000) | st.integers(150, 3000).map(lambda hundreds: hundreds * 10_000),
    st.none() | st.integers(0, 400_000),
    st.none() | st.integers(1995, 2026),
    st.sampled_from([None, "Branco", "Preto", "Verde Água"]),
    st.sampled_from([None, "Manual", "Automático", "CVT", "Automatizado"]),
    st.sampled_from([None, "Flex", "Diesel", "Elétrico"]),
    st.sampled_from(ADVERTS),
    st.sampled_from(["available", "available", "sold", "reserved"]),
    st.integers(0, 7),
)
stocks = st.lists(cars, max_size=8, unique_by=lambda car: car.id)
talks = st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), min_size=1, max_size=5)

_MONEY = re.compile(r"R\$ ([\d.]+(?:,\d{2})?)")
_KM = re.compile(r"([\d.]+) km\b")
_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d{2}(?![\d.,]*\d)")
_WHEN = re.compile(r"\b\d{2}/\d{2}\b|\b\d{1,2}h(?:\d{2})?\b|(?m:^\d{1,2}\. )")
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")


@given(stocks, talks)
@settings(max_examples=250, deadline=None)
def test_every_fact_is_in_the_stock_the_settings_or_the_buyers_words(
    fleet: list[Car], texts: list[str]
) -> None:
    """Nothing is made up, whatever is asked of whatever stock."""
    chat, heard = Chat(stock=Stock.build(fleet)), ""
    for text in texts:
        heard += f" {text}"
        decision = chat.say(text)
        said = sent(decision)
        _check_money(said, fleet)
        _check_km_and_years(said, fleet, heard)
        _check_photos(decision, fleet)
        _check_status_words(said, fleet)
        _check_other_numbers(said, fleet, heard)
        assert "ABC1D23" not in said


def _for_sale(fleet: list[Car]) -> list[Car]:
    return [car for car in fleet if car.status == "available"]


def _check_money(said: str, fleet: list[Car]) -> None:
    """An amount is the listed price of a car for sale."""
    listed = {car.preco.quantize(Decimal("0.01")) for car in _for_sale(fleet)}
    for found in _MONEY.findall(said):
        assert Decimal(found.replace(".", "").replace(",", ".")) in listed, said


def _check_km_and_years(said: str, fleet: list[Car], heard: str) -> None:
    """Of a car for sale, or said before."""
    kms = {f"{car.km:,}".replace(",", ".") for car in _for_sale(fleet) if car.km is not None}
    assert set(_KM.findall(said)) <= kms | set(_NUMBER.findall(heard)), said
    sources = " ".join(
        f"{car.ano} {car.ano_modelo} {car.descricao} {car.modelo}" for car in _for_sale(fleet)
    )
    assert set(_YEAR.findall(said)) <= set(_YEAR.findall(f"{sources} {heard}")), said


def _check_photos(decision: Decision, fleet: list[Car]) -> None:
    """A photo is one of the car that the bubble is about, which is for sale."""
    photos = {car.id: car.fotos for car in _for_sale(fleet)}
    for bubble in decision.bubbles:
        assert {fact.car_id for fact in bubble.facts} <= set(photos)
        if bubble.media_url is not None:
            assert bubble.media_url in photos[bubble.facts[0].car_id]


def _check_status_words(said: str, fleet: list[Car]) -> None:
    """`vendido` and `reservado` are said only of a stock that has such a car."""
    for word, status in (("vendid", "sold"), ("reservad", "reserved")):
        assert word not in said or any(car.status == status for car in fleet), said


def _check_other_numbers(said: str, fleet: list[Car], heard: str) -> None:
    """What is neither money nor time stands somewhere: a model, an address, a count."""
    sources = " ".join(
        f"{car.modelo} {car.marca} {car.descricao} {car.ano} {car.ano_modelo} {car.km}"
        for car in fleet
    )
    known = f"{sources} {heard} {fold(heard)} {DEALER.endereco} {DEALER.horario} {DEALER.telefone}"
    plain = _WHEN.sub(" ", _KM.sub(" ", _MONEY.sub(" ", said)))
    allowed = {_bare(found) for found in _NUMBER.findall(known)}
    allowed |= {str(count) for count in range(len(fleet) + 1)}
    # a nickname may be another name than the one that was said: the families of the data files
    allowed |= {_bare(found) for _, model in MODELS for found in _NUMBER.findall(model)}
    assert {_bare(found) for found in _NUMBER.findall(plain)} <= allowed, said


def _bare(number: str) -> str:
    return re.sub(r"[.,]", "", number)

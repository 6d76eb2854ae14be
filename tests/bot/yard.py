"""A yard of a few cars whose talks are short to tell, for tests of what strangers say."""

from __future__ import annotations

from bot.stock import Stock
from tests.bot.showroom import Chat, car

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

"""Reads prices, kilometres and years as Brazilian dealers write them. Called by `.vehicle`.

Each function raises BadNumber, whose text tells the dealer what to write instead.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

MIN_PRICE, MAX_PRICE = Decimal(1_000), Decimal(50_000_000)
"""Nothing with wheels costs less: such a price lacks its thousands (`89,9` for `89.900`)."""
MAX_KM = 2_000_000
_FIRST_YEAR = 1900
_BRAZILIAN = re.compile(r"(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?")
_ENGLISH = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?")
_MONEY_SIGNS = re.compile(r"(?i)r\$|\breais\b|\bbrl\b|,-+$|\s")
_KM_SIGNS = re.compile(r"(?i)km\.?s?\b|quil[oô]metros?|\s")
_THOUSAND = re.compile(r"(?i)(\d+(?:[.,]\d{1,3})?)mil")
_PAIR = re.compile(r"(\d{4}|\d{2})\s*[/\\\-–| ]\s*(\d{4}|\d{2})")
_ZERO_KM = frozenset({"zero", "0", "novo", "nova", "zerada", "zerado"})


class BadNumber(ValueError):
    """A cell that is no such number. The text is for the dealer, in Portuguese."""


def price_of(value: object) -> Decimal | None:
    """Reais with cents: `R$ 89.900,00`, `89900`, `89.900`, `89,9 mil`. None for zero: no price."""
    number = _number(value, _MONEY_SIGNS, "um preço", "89.900,00")
    price = number.quantize(Decimal("0.01"))
    if price == 0:
        return None
    if price < MIN_PRICE:
        raise BadNumber(f"{_shown(value)} é baixo demais para um carro: faltam os milhares?")
    if price > MAX_PRICE:
        raise BadNumber(f"{_shown(value)} é alto demais para um carro: há dígitos a mais?")
    return price


def km_of(value: object) -> int:
    """Kilometres: `45.000 km`, `45 mil`, `0 km`, `zero`."""
    if isinstance(value, str) and _KM_SIGNS.sub("", value).lower() in _ZERO_KM:
        return 0
    number = _number(value, _KM_SIGNS, "uma quilometragem", "45.000")
    if number != number.to_integral_value():
        raise BadNumber(f"{_shown(value)} tem fração: escreva os quilômetros inteiros, como 45.000")
    if number > MAX_KM:
        raise BadNumber(f"{_shown(value)} é alto demais para uma quilometragem")
    return int(number)


def years_of(value: object, *, now: int) -> tuple[int, int | None]:
    """Year built and, where it is said, model year: `2020`, `2020/2021`, `20/21`.

    `now` is this year; two digits mean the newest year that is not later than the one after it.
    """
    if isinstance(value, date | datetime):
        raise BadNumber("o Excel transformou o ano em data: formate a coluna como Texto e redigite")
    text = str(value).strip()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    if pair := _PAIR.fullmatch(text):
        built, model = _year(pair[1], now), _year(pair[2], now)
        return _checked(built, model, text)
    if not re.fullmatch(r"\d{4}|\d{2}", text):
        raise BadNumber(f"{_shown(value)} não é um ano: escreva como 2020 ou 2020/2021")
    return _year(text, now), None


def _checked(built: int, model: int, text: str) -> tuple[int, int]:
    if not built <= model <= built + 2:
        raise BadNumber(
            f"'{text}': o ano do modelo é o de fabricação ou o seguinte; "
            "escreva fabricação/modelo, como 2020/2021"
        )
    return built, model


def check_pair(built: int | None, model: int | None) -> None:
    """The same for years from two columns."""
    if built is not None and model is not None:
        _checked(built, model, f"{built}/{model}")


def _year(digits: str, now: int) -> int:
    year = int(digits)
    if len(digits) == 2:
        year += 2000 if 2000 + year <= now + 1 else 1900
    if not _FIRST_YEAR <= year <= now + 2:
        raise BadNumber(f"{digits} não é um ano possível: escreva de {_FIRST_YEAR} a {now + 2}")
    return year


def _number(value: object, signs: re.Pattern[str], what: str, example: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise BadNumber(f"{_shown(value)} não é {what}: escreva um número, como {example}")
    if isinstance(value, str):
        number = _from_text(signs.sub("", value))
        if number is None:
            raise BadNumber(f"{_shown(value)} não é {what}: escreva um número, como {example}")
        return number
    number = Decimal(str(value))
    if not number.is_finite() or number < 0 or number >= Decimal(10) ** 15:
        raise BadNumber(f"{_shown(value)} não é {what}: escreva um número, como {example}")
    return number


def _from_text(text: str) -> Decimal | None:
    """Without signs and blanks. A dot or comma before three last digits parts thousands."""
    if len(text) > 20 or not text.isascii():
        return None
    if thousands := _THOUSAND.fullmatch(text):
        return Decimal(thousands[1].replace(",", ".")) * 1000
    if match := _BRAZILIAN.fullmatch(text):
        whole = match[1].replace(".", "")
    elif match := _ENGLISH.fullmatch(text):
        whole = match[1].replace(",", "")
    else:
        return None
    return Decimal(f"{whole}.{match[2] or 0}")


def _shown(value: object) -> str:
    return f"'{str(value)[:40]}'"

"""Finds the numbers in a text, in digits and in words. Called by `reading.amounts`."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.reading.text import Text, Token

_WORDS = {
    "um": 1, "uma": 1, "dois": 2, "duas": 2, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6,
    "sete": 7, "oito": 8, "nove": 9, "dez": 10, "onze": 11, "doze": 12, "treze": 13,
    "quatorze": 14, "catorze": 14, "quinze": 15, "dezesseis": 16, "dezessete": 17,
    "dezoito": 18, "dezenove": 19, "vinte": 20, "trinta": 30, "quarenta": 40,
    "cinquenta": 50, "cincoenta": 50, "sessenta": 60, "secenta": 60, "setenta": 70,
    "trintinha": 30, "quarentinha": 40, "cinquentinha": 50, "sessentinha": 60, "setentinha": 70,
    "oitentinha": 80, "noventinha": 90, "oitenta": 80, "noventa": 90,
    "cem": 100, "cento": 100, "duzentos": 200,
    "trezentos": 300, "quatrocentos": 400, "quinhentos": 500, "seiscentos": 600,
    "setecentos": 700, "oitocentos": 800, "novecentos": 900,
}  # fmt: skip
_ARTICLES = ("um", "uma")
_DIGITS = re.compile(r"([0-9]+(?:[.,][0-9]+)*)([a-z%]*)")
_GROUPED = re.compile(r"([0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]{1,2})?$")
_CENTS = re.compile(r"([0-9]{4,}),[0-9]{1,2}$")
_DECIMAL = re.compile(r"[0-9]+[.,][0-9]{1,2}$")
_GLUED = re.compile(r"(mil|k)(km|reais)?$")
MONEY_WORDS = frozenset(
    ("k", "pila", "pilas", "conto", "contos", "pau", "paus", "mango", "mangos", "reais", "real")
)
_SLANG_THOUSANDS = MONEY_WORDS - {"reais", "real"}
MAX_DIGITS = 9
"""Longer ones are phone numbers and documents, not amounts."""


class Number(NamedTuple):
    """A number in the text: tokens[start:end]."""

    start: int
    end: int
    value: float
    thousands: bool
    """Said in thousands already (60 mil, 60k): the value is complete."""
    unit: str
    """What is glued to it or follows: km, h, x, %, reais, ... or nothing."""
    decimal: bool = False


def find_numbers(text: Text) -> list[Number]:
    """All numbers from left to right."""
    found: list[Number] = []
    index = 0
    while index < len(text.tokens):
        number = _digits_at(text, index) or _words_at(text.tokens, index)
        if number is None:
            index += 1
            continue
        found.append(number)
        index = number.end
    return found


def _digits_at(text: Text, index: int) -> Number | None:
    match = _DIGITS.fullmatch(text.tokens[index].text)
    if match is None or len(re.sub(r"[^0-9]", "", match[1])) > MAX_DIGITS:
        return None
    value, decimal = _value(match[1])
    unit = match[2]
    glued = _GLUED.match(unit)
    if glued:
        thousand = glued[1] == "mil" or value < 1000
        return Number(
            index, index + 1, round(value * 1000) if thousand else value, True, glued[2] or ""
        )
    return _with_unit(text.tokens, index, index + 1, value, unit, decimal)


def _value(digits: str) -> tuple[float, bool]:
    """The number and whether it has a fraction: 60.000,00 -> 60000; 59,9 -> 59.9."""
    grouped = _GROUPED.match(digits)
    if grouped:
        return float(grouped[1].replace(".", "")), False
    cents = _CENTS.match(digits)
    if cents:
        return float(cents[1]), False
    if _DECIMAL.match(digits):
        return float(digits.replace(",", ".")), True
    return float(re.split(r"[.,]", digits)[0]), False


def _with_unit(
    tokens: tuple[Token, ...], start: int, end: int, value: float, unit: str, decimal: bool
) -> Number:
    thousands = False
    nxt = _next(tokens, end)
    if not unit and nxt in ("mil", "milhao", "milhoes"):
        value, thousands, end = value * (1000 if nxt == "mil" else 1_000_000), True, end + 1
        nxt = _next(tokens, end)
    if not unit and nxt in MONEY_WORDS:
        if not thousands and nxt in _SLANG_THOUSANDS and value < 1000:
            value, thousands = value * 1000, True
        unit, end = "reais", end + 1
    return Number(start, end, float(round(value, 2)), thousands, unit, decimal and not thousands)


def _next(tokens: tuple[Token, ...], index: int) -> str:
    if index < len(tokens) and not tokens[index].breaks:
        return tokens[index].text
    return ""


def _words_at(tokens: tuple[Token, ...], index: int) -> Number | None:
    """A number in words: sessenta e cinco mil. An article alone is none."""
    first = tokens[index].text
    if first == "mil" and _next(tokens, index + 1) in MONEY_WORDS:
        return Number(index, index + 2, 1000.0, True, "reais")
    if first not in _WORDS or (first in _ARTICLES and _next(tokens, index + 1) != "mil"):
        return None
    total, end = _sum_words(tokens, index)
    number = _with_unit(tokens, index, end, float(total), "", False)
    if number.thousands and _next(tokens, number.end) == "e":
        rest = _next(tokens, number.end + 1)
        if rest in _WORDS and rest not in _ARTICLES:
            more, end = _sum_words(tokens, number.end + 1)
            return number._replace(value=number.value + more, end=end)
    return number


def _sum_words(tokens: tuple[Token, ...], index: int) -> tuple[int, int]:
    total, end = _WORDS[tokens[index].text], index + 1
    while True:
        if _next(tokens, end) == "e" and _next(tokens, end + 1) in _WORDS:
            step = _WORDS[_next(tokens, end + 1)]
            if step >= _magnitude(total):
                return total, end
            total, end = total + step, end + 2
        else:
            return total, end


def _magnitude(total: int) -> int:
    """What may still be added after `e`: units to tens, tens to hundreds."""
    if total >= 100:
        return 100
    return 10 if total >= 20 else 0


def in_full(number: Number) -> int:
    """In reais or km: a bare number under 1000 means thousands."""
    if number.thousands or number.value >= 1000:
        return round(number.value)
    return round(number.value * 1000)

"""Says whether two numbers or an age mean years of cars. Called by `reading.amounts`."""

from __future__ import annotations

import re

from bot.reading.numbers import Number
from bot.reading.text import Text

CHEAPEST = 20
"""In thousands of reais: `de 15 a 18` are years, not prices."""
MOST_YEARS = 30
_YEARS_BEFORE = re.compile(r"\b(?:d[oe]s?|entre|anos?)(?: (?:o|os|ano|anos|modelo))*$")
_NO_YEARS = re.compile(r"\b(?:parcel\w+|horas?|horario|atend\w+|abr\w+|funcion\w+|dias?)\b")
_AGE_AFTER = re.compile(
    r"anos?(?: no maximo)?(?: de (?:uso|idade|fabricacao|fabricado)| no maximo|$|(?! de\b))"
)
_AGE_BEFORE = re.compile(r"\b(?:ate|(?:no )?maximo|menos de|nao mais (?:de|que))(?: (?:uns|de))*$")
_NO_AGE = re.compile(
    r"\b(?:financ\w+|parcel\w+|garantia|pagar|pago|carteira|cnh|credito|entrada)\b"
)


def short_years(text: Text, low: Number, high: Number) -> bool:
    """`do 15 ao 18`, `de 15 a 18` are years, no car costs so little; `de 30 a 40` is money."""
    if not (_two_digits(text, low) and _two_digits(text, high) and low.value < high.value):
        return False
    before = text.before(low.start, 3)
    between = text.tokens[low.end].text
    sure = low.value < CHEAPEST or between in ("ao", "aos") or "ano" in before
    return bool(sure and _YEARS_BEFORE.search(before)) and not _NO_YEARS.search(text.flat)


def _two_digits(text: Text, number: Number) -> bool:
    plain = not (number.thousands or number.unit)
    return plain and re.fullmatch("[0-9]{2}", text.tokens[number.start].text) is not None


def oldest_age(text: Text, number: Number) -> int | None:
    """`até 5 anos de uso`: how old a car may be, in years; None where no age is meant."""
    before, after = text.before(number.start), text.after(number.end)
    if number.thousands or number.value > MOST_YEARS or not _AGE_AFTER.match(after):
        return None
    limited = _AGE_BEFORE.search(before) or "no maximo" in after
    return int(number.value) if limited and not _NO_AGE.search(text.flat) else None

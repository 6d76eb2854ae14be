"""Finds the order in which a buyer wants to see cars. Called by `reading.reader`."""

from __future__ import annotations

import re

from bot.filters import Sort
from bot.reading.text import Text

_WORDS = (
    (
        Sort.MILEAGE_ASC,
        (
            r"pouc[oa]s? rodad[oa]s?|(?:baix[oa]|pouc[oa]s?|menor|menos) km|"
            r"km (?:bem )?baix[oa]|menos rodad[oa]s?|(?:roda|rodou) menos|(?:ordem|ordena\w*|"
            r"organiza\w*)(?: \w+)? (?:de|por|pela) km"
        ),
    ),
    (
        Sort.PRICE_ASC,
        (
            r"barat\w*|em conta|do menor pra (?:o )?maior|menor(?:es)? preco|preco baixo|mais "
            r"acessive\w+|menos car[oa]s?|(?:ordem|ordena\w*|organiza\w*)(?: crescente)? (?:de|"
            r"por|pelo) (?:preco|valor)|"
            r"menor (?:preco|valor) pra (?:o )?maior"
        ),
    ),
    (
        Sort.PRICE_DESC,
        (
            r"mais car[oa]s?|mais top|top de linha|maior valor|maior(?: preco)? pra (?:o )?menor|"
            r"mais luxuos[oa]"
        ),
    ),
    (
        Sort.YEAR_DESC,
        (
            r"mais nov[oa]s?|mais recentes?|mais atua(?:l|is)|ano mais novo|(?:ordem|ordena\w*|"
            r"organiza\w*) (?:de|por|pelo) ano"
        ),
    ),
)
_PATTERN = re.compile("|".join(rf"(?P<{sort.value}>\b(?:{words})\b)" for sort, words in _WORDS))
_AFTER_YEAR = re.compile(r"(?:[0-9]{2,4}|ano) ou $")
_THAN_YEAR = re.compile(r" (?:do )?que (?:o ano |de )?[0-9]")


def find_sort(text: Text) -> Sort | None:
    """The first order that is named; `2019 ou mais novo` is a year, not an order."""
    for match in _PATTERN.finditer(text.flat):
        than_year = _THAN_YEAR.match(text.flat[match.end() :])
        if than_year or _AFTER_YEAR.search(text.flat[: match.start()]):
            continue
        return Sort(match.lastgroup or "")
    return None

"""Tells a car by words of its advertisement (`o do teto solar`). Called by `focus`, `dismissed`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.reading.text import fold
from bot.stock import Listing
from bot.values import Car

_BY = re.compile(
    r"\b(?:o|a|ess[ea]|aquel[ea]) (?:(?:d[oae]|com|que (?:tem|e|vem com)|mais|o|a|um|uma) )+"
    r"(?P<first>[a-z0-9]{3,})(?: (?P<second>[a-z0-9]{3,}))?"
)


def told_by(flat: str, shown: Sequence[Listing]) -> Listing | None:
    """The one of the cars shown whose advertisement says this; None when several do, or none."""
    for match in _BY.finditer(flat):
        first, second = match["first"], match["second"] or ""
        for wanted in ({first, second}, {first}):
            hits = [item for item in shown if wanted <= words_of(item)]
            if len(hits) == 1:
                return hits[0]
    return None


def words_of(item: Listing) -> frozenset[str]:
    """What a car can be told by: its names, its columns and its advertisement."""
    columns = (item.brand, item.color, item.fuel, item.body, item.transmission)
    return _words(item.car) | {fold(column) for column in columns if column}


@lru_cache(maxsize=1024)
def _words(car: Car) -> frozenset[str]:
    told = (car.modelo, car.descricao, car.cambio, str(car.ano_modelo or ""))
    return frozenset(re.findall(r"[a-z0-9]+", fold(" ".join(filter(None, told)))))

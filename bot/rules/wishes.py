"""Joins a new wish with what was wished before. Called by `rules.search`."""

from __future__ import annotations

import re
from typing import Any

from bot.filters import Filters
from bot.reading.reader import Reading
from bot.reading.references import Pointing
from bot.state import Pending, State
from bot.stock import Stock

_ANEW = re.compile(
    r"\b(?:mudei de ideia|esquec\w+|agora (?:quero|eu quero)|outra coisa|mudando|o que "
    r"(?:mais )?(?:voce|voces)?)\b"
)
_FREE: dict[str, dict[str, Any]] = {
    "color": {"color": ()}, "transmission": {"transmission": None}, "brand": {"brand": ()},
    "model": {"model": ()}, "fuel": {"fuel": ()}, "year": {"year_min": None, "year_max": None},
    "price": {"price_min": None, "price_max": None}, "mileage": {"mileage_max": None},
    "body": {"body": ()},
}  # fmt: skip
MIN_BUDGET = 10_000


def joined_wish(reading: Reading, state: State, stock: Stock) -> Filters:
    """The wish that holds after this turn.

    A named model starts anew; a body or brand replaces a model; anything else narrows.
    """
    new = _with_budget(reading, state)
    before = state.filters
    if new.model or _starts_anew(reading, new):
        return new
    if new.body or new.brand:
        before = before.model_copy(update={"model": (), "brand": ()})
    if before.model and reading.reference and reading.reference.how is Pointing.CHEAPER:
        new = new.model_copy(update={"sort": None})
    before = before.stripped(new.exclude)
    before = before.model_copy(update={"exclude": before.exclude.without(reading.allowed)})
    wish = before.merged(new)
    wish = released(wish, reading)
    return _cheaper(reading, state, wish, stock)


def released(wish: Filters, reading: Reading) -> Filters:
    """The wish without what the buyer now says does not matter to him."""
    for key in sorted(reading.free):
        wish = wish.model_copy(update=_FREE[key])
    return wish


def _starts_anew(reading: Reading, new: Filters) -> bool:
    flat = reading.text.flat
    asks_for_all = new.empty() and new.sort is None and reading.reference is None
    return bool(_ANEW.search(flat)) or (
        asks_for_all and bool(re.search(r"\bo que\b|\bestoque\b", flat))
    )


def _with_budget(reading: Reading, state: State) -> Filters:
    """A bare number answers the question for the budget."""
    if state.pending is not Pending.BUDGET or reading.filters.price_max or not reading.loose:
        return reading.filters
    value = reading.loose[0][0]
    amount = round(value if value >= 1000 else value * 1000)
    if amount < MIN_BUDGET:
        return reading.filters
    return reading.filters.model_copy(update={"price_max": amount})


def _cheaper(reading: Reading, state: State, wish: Filters, stock: Stock) -> Filters:
    """`tem mais barato?`: below the cheapest car shown; without one, another model of its body."""
    if reading.reference is None or reading.reference.how is not Pointing.CHEAPER:
        return wish
    shown = [item for item in map(stock.get, state.offered) if item is not None]
    if not shown:
        return wish
    below = max(int(min(item.car.preco for item in shown)) - 1, 0)
    cheaper = wish.model_copy(update={"price_max": below, "price_min": None, "sort": None})
    if cheaper.model and not stock.matching(cheaper):
        bodies = tuple(dict.fromkeys(item.body for item in shown if item.body))
        return cheaper.model_copy(update={"model": (), "brand": (), "body": cheaper.body or bodies})
    return cheaper

"""Joins a new wish with what was wished before. Called by `rules.search`."""

from __future__ import annotations

import re
from typing import Any

from bot.filters import Exclude, Filters, Sort
from bot.reading.reader import Reading
from bot.reading.references import Pointing, Reference
from bot.state import Pending, State
from bot.stock import Listing, Stock

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
    if _OR.match(reading.text.flat):
        new = _either(before, new)
    if new.model or _starts_anew(reading, new):
        return new
    missing = bool(before.model) and not stock.matching(Filters(model=before.model))
    if missing and not new.empty():  # what was offered in its place is narrowed
        shown = [item for item in map(stock.get, state.offered) if item is not None]
        before = without_model(before, shown)
    if new.body or new.brand:
        before = before.model_copy(update={"model": (), "brand": ()})
    if before.model and reading.reference and reading.reference.how is Pointing.CHEAPER:
        new = new.model_copy(update={"sort": None})
    before = before.stripped(new.exclude)
    before = before.model_copy(update={"exclude": before.exclude.without(reading.allowed)})
    wish = before.merged(new)
    wish = _other_brand(reading, state, released(wish, reading), stock)
    return _than_shown(reading, state, wish, stock)


_OR = re.compile(r"(?:ou|e tambem|pode ser tambem|serve tambem)\b(?! (?:seja|nao|entao)\b)")
_SEVERAL = ("brand", "model", "color", "fuel", "body")


def _either(before: Filters, new: Filters) -> Filters:
    """`um azul`, then `ou branco`: any of the two; the rest of the wish holds."""
    both = {
        key: tuple(dict.fromkeys((*getattr(before, key), *getattr(new, key))))
        for key in _SEVERAL
        if getattr(new, key) and getattr(before, key)
    }
    return before.merged(new).model_copy(update=both) if both else new


_OTHER_BRAND = re.compile(r"\boutras? marcas?\b")


def _other_brand(reading: Reading, state: State, wish: Filters, stock: Stock) -> Filters:
    """`e de outra marca?` after the one Ranger: of its kind, but no Ford."""
    ids = state.offered if state.focus is None else (state.focus,)
    shown = [item for item in map(stock.get, ids) if item is not None]
    brands = tuple({item.brand for item in shown})
    asks = reading.text.question and _OTHER_BRAND.search(reading.text.flat)
    if not asks or len(brands) != 1:
        return wish
    exclude = wish.exclude.joined(Exclude(brand=brands))
    return without_model(wish, shown).model_copy(update={"brand": (), "exclude": exclude})


def released(wish: Filters, reading: Reading) -> Filters:
    """The wish without what the buyer now says does not matter to him."""
    for key in sorted(reading.free):
        wish = wish.model_copy(update=_FREE[key])
    return wish


def _starts_anew(reading: Reading, new: Filters) -> bool:
    flat = reading.text.flat
    asks_for_all = new.empty() and new.sort is None and reading.reference is None
    return bool(_ANEW.search(flat) or _says_it_all(new)) or (
        asks_for_all and bool(re.search(r"\bo que\b|\bestoque\b", flat))
    )


WHOLE_WISH = 2


def _says_it_all(new: Filters) -> bool:
    """`e suv automático até 100?`: a body with two more limits is a whole wish of its own."""
    limits = (
        new.price_max or new.price_min, new.transmission, new.fuel, new.color,
        new.year_min or new.year_max, new.mileage_max,
    )  # fmt: skip
    return bool(new.body) and sum(bool(limit) for limit in limits) >= WHOLE_WISH


def _with_budget(reading: Reading, state: State) -> Filters:
    """A bare number answers the question for the budget."""
    if state.pending is not Pending.BUDGET or reading.filters.price_max or not reading.loose:
        return reading.filters
    value = reading.loose[0][0]
    amount = round(value if value >= 1000 else value * 1000)
    if amount < MIN_BUDGET:
        return reading.filters
    return reading.filters.model_copy(update={"price_max": amount})


def _than_shown(reading: Reading, state: State, wish: Filters, stock: Stock) -> Filters:
    """`tem mais barato?`, `mais novo que ele`: better than what was shown, in that one thing.

    Where no car of the model is, another model of its body will do.
    """
    reference = reading.reference
    if reference is None or reference.how not in (Pointing.CHEAPER, Pointing.THAN):
        return wish
    one = stock.get(state.focus) if reference.than_this and state.focus is not None else None
    offered = [item for item in map(stock.get, state.offered) if item is not None]
    shown = offered if one is None else [one]
    limit = _limit(reference, shown)
    if not limit:
        return wish
    better = wish.model_copy(update={**limit, "sort": None})
    return without_model(better, shown) if not stock.matching(better) else better


def _limit(reference: Reference, shown: list[Listing]) -> dict[str, Any]:
    """Below the cheapest, newer than the newest, less driven than the least driven one shown."""
    if reference.how is Pointing.CHEAPER:
        prices = [item.car.preco for item in shown]
        return {"price_max": max(int(min(prices)) - 1, 0), "price_min": None} if prices else {}
    if reference.sort is Sort.YEAR_DESC:
        years = [item.car.ano_modelo for item in shown if item.car.ano_modelo]
        return {"year_min": max(years) + 1, "year_max": None} if years else {}
    driven = [item.car.km for item in shown if item.car.km is not None]
    return {"mileage_max": max(min(driven) - 1, 0)} if driven else {}


def without_model(wish: Filters, shown: list[Listing]) -> Filters:
    """Any model of the bodies that were shown."""
    if not wish.model:
        return wish
    bodies = tuple(dict.fromkeys(item.body for item in shown if item.body))
    return wish.model_copy(update={"model": (), "brand": (), "body": wish.body or bodies})

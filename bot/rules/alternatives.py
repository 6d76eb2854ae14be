"""Finds the cars nearest to a wish that nothing fits. Called by `rules.search`."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from heapq import nlargest, nsmallest

from bot.filters import Filters
from bot.reading.text import compact, fold
from bot.stock import Listing, Stock, car_tests
from bot.wording import joined

SHOWN = 3
PRICE_BAND = Decimal("0.2")
"""A price within 20 % of the wished one still counts as near."""
OTHER_MODEL = 4
"""Of the model that was asked for another year or colour comes first."""
_WEIGHTS = {
    "exclude.color": 5, "exclude.brand": 5, "exclude.model": 5, "exclude.body": 5,
    "exclude.fuel": 5, "exclude.engine": 5, "body": 4, "fuel": 2, "transmission": 2, "brand": 1,
    "color": 1, "year_min": 1, "year_max": 1, "mileage_max": 1,
}  # fmt: skip
"""How much of a wish a car leaves open; the model and the price are judged elsewhere."""


_LIKE = {
    "van": ("suv", "perua"), "perua": ("suv", "van"), "picape": ("suv",), "coupe": ("sedan",),
}  # fmt: skip
"""What comes near where no car of the body is: room for a van, never the cheapest of all."""


def nearest(
    wish: Filters,
    stock: Stock,
    gone: Listing | None,
    *,
    said_now: Filters,
    without: Collection[int | None] = (),
) -> list[Listing]:
    """Up to three cars for sale: the same body first, then a near price, then the rest.

    `gone`: the sold or reserved car that was asked for; its price and body say what is near.
    `without`: ids of cars that he has seen already.
    `said_now`: where cars have what this turn asks for, older wishes give way to it.
    """
    pool = stock.offered
    if not said_now.empty() and said_now != wish:
        pool = tuple(stock.matching(said_now)) or pool
    pool = tuple(item for item in pool if item.car.id not in without) if without else pool
    bodies = _bodies(wish, stock, gone)
    goal = _price_goal(wish, gone)
    tests = [(_WEIGHTS[key], test) for key, test in car_tests(wish) if key in _WEIGHTS]

    same = {compact(model.family) for model in wish.model}

    def distance(item: Listing) -> tuple[int, Decimal, Decimal, int]:
        away = abs(item.car.preco - goal) if goal is not None else Decimal(0)
        far = 3 if goal is not None and away > goal * PRICE_BAND else 0
        kin = {like for one in bodies for like in _LIKE.get(one, ())}
        body = 4 if bodies and item.body not in bodies else 0
        body -= 2 if body and item.body in kin else 0
        missed = sum(weight for weight, test in tests if not test(item))
        other = OTHER_MODEL if same and item.family_key not in same else 0
        return (missed + far + body + other, away, item.car.preco, item.car.id)

    near = nsmallest(SHOWN, pool, key=distance)
    wanted = bodies or set(wish.body)
    return [item for item in near if item.body in wanted] or near


def of_longer_name(wish: Filters, stock: Stock) -> list[Listing]:
    """Cars whose family only begins with the one that was wished for: Onix Plus for an Onix.

    Another family, so it is no match; but nearer to the wish than any other car.
    """
    rest = wish.model_copy(update={"model": (), "body": ()})
    begins = [f"{fold(model.family)} " for model in wish.model if not model.trim]
    return [
        item
        for item in stock.matching(rest)
        if any(fold(item.family).replace("-", " ").startswith(begin) for begin in begins)
    ][:SHOWN]


_OTHER = {
    "model": "de outro modelo", "brand": "de outra marca", "body": "de outro tipo",
    "transmission": "com outro câmbio", "fuel": "com outro combustível", "color": "em outra cor",
    "price_max": "acima desse valor", "price_min": "abaixo desse valor",
    "year_min": "de outro ano", "year_max": "de outro ano", "mileage_max": "com mais km",
}  # fmt: skip


def what_differs(near: list[Listing], wish: Filters) -> str:
    """In what the alternatives are not as wished, when it is the same for all: said, not hidden."""
    if wish.model or wish.brand:
        return ""  # the regret before it says that this model is missing
    missed = [{key for key, test in car_tests(wish) if not test(item)} for item in near]
    common = set.intersection(*missed) if missed else set()
    return joined(list(dict.fromkeys(_OTHER[key] for key in _OTHER if key in common)))


def cheaper_than(item: Listing, stock: Stock) -> list[Listing]:
    """The dearest cars of the same body that cost less: up to three."""
    same = [other for other in stock.offered if other.body == item.body and item.body]
    below = [other for other in same if other.car.preco < item.car.preco]
    return nlargest(SHOWN, below, key=lambda other: (other.car.preco, -other.car.id))


def _bodies(wish: Filters, stock: Stock, gone: Listing | None) -> set[str]:
    if gone is not None and gone.body:
        return {gone.body}
    if wish.body:
        return set()
    named = (stock.body_of(model) for model in wish.model)
    return {body for body in named if body}


def _price_goal(wish: Filters, gone: Listing | None) -> Decimal | None:
    for limit in (wish.price_max, wish.price_min):
        if limit is not None:
            return Decimal(limit)
    return gone.car.preco if gone is not None else None

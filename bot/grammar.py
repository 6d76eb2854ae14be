"""Gives cars and the agent their article: o Corolla, a Strada. Called wherever one is named.

Which families are feminine is data (`[gender]` in bot/data/cars.toml); for what nobody listed the
body decides: a picape, a van and a perua are feminine in Portuguese.
"""

from __future__ import annotations

from functools import cache

from bot.reading.data import load
from bot.reading.text import compact, fold
from bot.stock import Listing
from bot.wording import name

_FEMININE_BODIES = frozenset(("picape", "van", "perua"))


@cache
def _gender() -> dict[str, bool]:
    """Family -> whether it is feminine, of those that are listed."""
    listed = load("cars")["gender"]
    feminine = {compact(family): True for family in listed["feminine"]}
    return feminine | {compact(family): False for family in listed["masculine"]}


def is_feminine(item: Listing) -> bool:
    """True for a Strada; of an unknown family the body decides."""
    return _gender().get(compact(item.family), item.body in _FEMININE_BODIES)


def the_car(item: Listing) -> str:
    """o Toyota Corolla, a Fiat Strada."""
    return f"{'a' if is_feminine(item) else 'o'} {name(item)}"


def the_car_first(item: Listing) -> str:
    """The same at the start of a sentence."""
    said = the_car(item)
    return said[0].upper() + said[1:]


def of_car(item: Listing) -> str:
    """do Toyota Corolla, da Fiat Strada."""
    return f"d{the_car(item)}"


def to_see(item: Listing) -> str:
    """para ver a Fiat Strada."""
    return f"para ver {the_car(item)}"


def of_it(item: Listing) -> str:
    """dele, dela."""
    return "dela" if is_feminine(item) else "dele"


def it(item: Listing) -> str:
    """ele, ela."""
    return "ela" if is_feminine(item) else "ele"


def ending(item: Listing) -> str:
    """o or a: vendido, vendida."""
    return "a" if is_feminine(item) else "o"


def the_agent(name: str) -> str:
    """`o Lucas`, `a Bia`, `Alice`: without an article where the ending does not tell."""
    last = fold(name)[-1:]
    article = "a " if last == "a" else "o " if last in ("o", "s") else ""
    return f"{article}{name}"

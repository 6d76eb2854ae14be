"""Finds the car that a turn is about: named, pointed at or spoken of. Called by `lucas`."""

from __future__ import annotations

import re
from itertools import pairwise

from bot.filters import Filters, Sort
from bot.reading.data import attribute_words
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.reading.references import Pointing, Reference
from bot.reading.text import fold
from bot.rules.told_by import told_by
from bot.state import State
from bot.stock import Listing, Stock, car_tests, ordered

_POINTERS = frozenset(
    (
        "o",
        "a",
        "do",
        "da",
        "no",
        "na",
        "esse",
        "essa",
        "desse",
        "dessa",
        "nesse",
        "nessa",
        "aquele",
        "aquela",
    )
)
MIN_TRIM = 3
_YEAR = re.compile(r"20[0-4][0-9]")
TWO = 2
LIST = 4
"""A list of so many cars may have been cut short."""
_OTHER = re.compile(r"\b(?:[oa]|d[oa]|n[oa]|ess[ea]) outr[oa]\b")
_CABINS = {"cabine simples": "cs", "cabine dupla": "cd"}


def find_target(
    reading: Reading, state: State, stock: Stock, quoted_car_id: int | None = None
) -> Listing | None:
    """The one car for sale that is meant, or None when none is clear."""
    offered = [item for item in map(stock.get, state.offered) if item is not None]
    other = _the_other(reading, state, offered, stock)
    if other is not None:
        return other
    if reading.filters.model:
        priced = _of_that_price(reading, stock)
        return priced or _named(reading.filters, offered, state, stock)
    best = of_the_shown(reading, state, stock)
    if best is not None:
        return best
    pointed = _pointed(reading.reference, offered, state, stock)
    if pointed is not None:
        return pointed
    described = _described(reading, offered) or _recalled(reading, state, stock)
    if described is not None:
        return described
    if quoted_car_id is not None:
        return stock.get(quoted_car_id)
    return _current(state, offered, stock)


def points(reading: Reading, state: State, stock: Stock) -> bool:
    """True when a car shown before is pointed at, and none is named."""
    if not reading.filters.model:
        return names_a_car(reading, state, stock)
    offered = [item for item in map(stock.get, state.offered) if item is not None]
    return _the_other(reading, state, offered, stock) is not None


def names_a_car(reading: Reading, state: State, stock: Stock) -> bool:
    """True when the turn itself says which car, not only the memory."""
    offered = [item for item in map(stock.get, state.offered) if item is not None]
    return bool(reading.filters.model) or (
        _the_other(reading, state, offered, stock) is not None
        or of_the_shown(reading, state, stock) is not None
        or _pointed(reading.reference, offered, state, stock) is not None
        or _described(reading, offered) is not None
    )


def _the_other(
    reading: Reading, state: State, offered: list[Listing], stock: Stock
) -> Listing | None:
    """`e o outro?` of two that were shown, `e o outro Gol?` of two that there are."""
    if not _OTHER.search(reading.text.flat):
        return None
    if state.focus is None:  # the one before was turned down in this turn
        return offered[0] if len(offered) == 1 else None
    pool = stock.matching(reading.filters) if reading.filters.model else offered
    if len(pool) < TWO and not reading.filters.model:  # the one spoken of before this one
        pool = [item for item in map(stock.get, state.seen) if item is not None][:TWO]
    rest = [item for item in pool if item.car.id != state.focus]
    return rest[0] if len(rest) == 1 else None


def _of_that_price(reading: Reading, stock: Stock) -> Listing | None:
    """`o Compass de 142`: of this model the one that costs so much."""
    reference = reading.reference
    if reference is None or reference.how is not Pointing.PRICE:
        return None
    return _priced(stock.matching(reading.filters), reference.number)


def _named(filters: Filters, offered: list[Listing], state: State, stock: Stock) -> Listing | None:
    tests = car_tests(filters)
    for pool in (offered, list(stock.offered)):
        hits = [item for item in pool if all(test(item) for _, test in tests)]
        if len(hits) == 1:
            return hits[0]
        if any(item.car.id == state.focus for item in hits):
            return next(item for item in hits if item.car.id == state.focus)
        if hits:
            return None
    return None


_OF_THEM = re.compile(
    r"\b(?:d[eo]ss[ea]s|d[ao]quel[ea]s|del[ea]s|dentre|entre|dos|das|dessa lista|da lista|dai)\b"
)
_THE_BEST = re.compile(r"\b(?:o|a|d[oa]|qual)\b.* (?:mais|menos|menor) \w+")


def of_the_shown(reading: Reading, state: State, stock: Stock) -> Listing | None:
    """`o da Honda mais novo desses`: of the cars shown that are so, the first in that order."""
    said = reading.filters.model_copy(update={"sort": None})
    order = reading.filters.sort
    if order is None or said.model or said.empty() or len(state.offered) < TWO:
        return None
    flat = reading.text.flat
    wishes_anew = reading.intent in (Intent.SEARCH, Intent.UNCLEAR) and not _OF_THEM.search(flat)
    if wishes_anew or not _THE_BEST.search(flat):
        return None
    tests = car_tests(said)
    shown = [item for item in map(stock.get, state.offered) if item is not None]
    pool = stock.matching(state.filters) if _OF_THEM.search(flat) else shown
    for cars in (pool, shown):
        hits = [item for item in cars if all(test(item) for _, test in tests)]
        if hits:
            return ordered(hits, order)[0]
    return None


def _pointed(
    reference: Reference | None, offered: list[Listing], state: State, stock: Stock
) -> Listing | None:
    if reference is None:
        return None
    if reference.how is Pointing.ORDINAL:
        return _nth(offered, reference.number)
    if reference.how is Pointing.PRICE:
        return _priced(offered, reference.number) or _priced(list(stock.offered), reference.number)
    if reference.how is Pointing.BEST and reference.of_two:
        offered = _last_two(state, offered, stock)
        return _best(offered, reference) if offered else None
    if reference.how is Pointing.BEST and offered:
        return _best(_all_of_them(reference, state, offered, stock), reference)
    if reference.how is Pointing.THIS:
        return _current(state, offered, stock)
    return None


def _best(pool: list[Listing], reference: Reference) -> Listing:
    """The first in the order that is named, or the last whose mileage or year is known."""
    if not reference.last:
        return ordered(pool, reference.sort)[0]
    by_km = reference.sort is Sort.MILEAGE_ASC
    known = [item for item in pool if not by_km or item.car.km is not None]
    return ordered(known or pool, reference.sort)[-1]


def _all_of_them(
    reference: Reference, state: State, offered: list[Listing], stock: Stock
) -> list[Listing]:
    """What fits the wish, of which the cars shown may be the first few; else those shown."""
    matched = stock.matching(state.filters)
    first = {item.car.id for item in matched[: len(offered)]}
    cut = len(offered) >= LIST and first == {item.car.id for item in offered}
    return matched if matched and (reference.number or cut) else offered


def _last_two(state: State, offered: list[Listing], stock: Stock) -> list[Listing]:
    """The two that `o mais barato dos dois` means: shown together, else the last spoken of."""
    if len(offered) == TWO:
        return offered
    seen = [item for item in map(stock.get, state.seen) if item is not None]
    return seen[:TWO] if len(seen) >= TWO else offered


def _nth(offered: list[Listing], number: int) -> Listing | None:
    index = number - 1 if number > 0 else number
    if number == 0:
        index = len(offered) // 2
    return offered[index] if offered and -len(offered) <= index < len(offered) else None


def _priced(pool: list[Listing], amount: int) -> Listing | None:
    """`o de 58` is the one of 58.900."""
    hits = [
        item for item in pool if amount in (int(item.car.preco), int(item.car.preco) // 1000 * 1000)
    ]
    return hits[0] if len(hits) == 1 else None


def _described(reading: Reading, offered: list[Listing]) -> Listing | None:
    """`o preto`, `o premier`, `o 2018`: a word that fits exactly one of the cars shown."""
    for words, trim in _CABINS.items():
        hits = [item for item in offered if trim in item.trim]
        if words in reading.text.flat and len(hits) == 1:
            return hits[0]
    tokens = reading.text.tokens
    for previous, token in pairwise(tokens):
        if previous.text not in _POINTERS:
            continue
        hits = [item for item in offered if _has_word(item, token.text)]
        if len(hits) == 1:
            return hits[0]
    return told_by(reading.text.flat, offered) if len(offered) >= TWO else None


def _recalled(reading: Reading, state: State, stock: Stock) -> Listing | None:
    """`volta pro elétrico, posso testar?`: the one of all cars seen so far that is like this."""
    said = reading.filters
    if reading.intent is Intent.SEARCH or said.empty():
        return None
    tests = car_tests(said)
    seen = [item for item in map(stock.get, state.seen) if item is not None]
    hits = [item for item in seen if all(test(item) for _, test in tests)]
    return hits[0] if len(hits) == 1 else None


def _has_word(item: Listing, word: str) -> bool:
    if _YEAR.fullmatch(word):
        return item.car.ano_modelo == int(word)
    key, value = attribute_words().get(word, ("", ""))
    if key:
        return value in (item.color, item.fuel, item.body, item.transmission)
    known = word in item.trim or word in fold(item.brand).split()
    return known and (len(word) >= MIN_TRIM or bool(re.search(r"\d", word)))


def _current(state: State, offered: list[Listing], stock: Stock) -> Listing | None:
    if state.focus is not None:
        return stock.get(state.focus)
    return offered[0] if len(offered) == 1 else None

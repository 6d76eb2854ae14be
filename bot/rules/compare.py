"""Sets two cars side by side when the buyer asks for their difference. Called by `lucas`.

Says which is cheaper, newer, less driven; works out no sums, so that each number is a column's.
"""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.grammar import the_car_first
from bot.reading.references import Pointing
from bot.rules.talk import Answer, Talk, text
from bot.stock import Listing
from bot.wording import bullets, joined

_COMPARES = re.compile(
    r"\bdiferencas?\b|\bcompar\w+|\bcompensa\b|\bvale mais\b|\bos dois\b|\bas duas\b|\bambos\b|"
    r"\bdos "
    r"dois\b|\bdas duas\b|\bqual (?:e |o |a |seria |deles |delas )*(?:melhor|mais \w+|menos \w+)\b"
)
TWO = 2


def asks_to_compare(flat: str) -> bool:
    """`Qual a diferença?`, `os dois`."""
    return bool(_COMPARES.search(flat))


def two_cars(talk: Talk) -> list[Listing] | None:
    """Two that are named, the two that were shown last, or the last two spoken of."""
    wishes = talk.reading.filters.model
    if len(wishes) == TWO:
        found = [talk.stock.matching(Filters(model=(wish,))) for wish in wishes]
        return [first[0] for first in found] if all(found) else None
    if wishes or not talk.reading.filters.empty():
        return None
    for ids in (talk.state.offered, talk.state.seen[:TWO][::-1]):
        shown = [item for item in map(talk.stock.get, ids) if item is not None]
        if len(shown) == TWO:
            return shown
    return None


def compared(talk: Talk) -> Answer | None:
    """The comparison, when it is asked for and it is clear which two cars are meant."""
    reference = talk.reading.reference
    best = reference is not None and reference.how is Pointing.BEST
    if not asks_to_compare(talk.reading.text.flat) or (best and not talk.reading.filters.model):
        return None  # `o mais barato deles` is one of them
    two = two_cars(talk)
    if two is None:
        return None
    intro = talk.say("Comparando os dois:", "Lado a lado:", "Olha os dois:")
    closing = talk.say("Quer ver fotos de algum deles?", "Qual dos dois combina mais com você?")
    body = f"{intro}\n\n{bullets(two)}\n\n{_differences(*two)} {closing}".replace("  ", " ")
    return Answer(
        rule="search.compared",
        bubbles=(text(body, two),),
        considered=tuple(item.car.id for item in two),
        offered=tuple(item.car.id for item in two),
        focus=-1,
        aside=(intro, closing),
    )


def _differences(one: Listing, other: Listing) -> str:
    """Which of the two is cheaper, newer, less driven; equal or unknown is not told."""
    said: dict[int, list[str]] = {one.car.id: [], other.car.id: []}
    for words, left, right in (
        ("mais barat", one.car.preco, other.car.preco),
        ("mais nov", -(one.car.ano_modelo or 0), -(other.car.ano_modelo or 0)),
        ("menos rodad", one.car.km, other.car.km),
    ):
        if left and right and left != right:
            said[one.car.id if left < right else other.car.id].append(words)
    parts = [_is(item, said[item.car.id]) for item in (one, other) if said[item.car.id]]
    return f"{'. '.join(parts)}." if parts else ""


def _is(item: Listing, words: list[str]) -> str:
    whose = the_car_first(item)
    ending = "a" if whose.startswith("A ") else "o"
    return f"{whose} é {joined([word + ending for word in words])}"

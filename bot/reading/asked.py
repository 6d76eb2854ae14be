"""Finds what is asked about a car: its topics. Called by `reading.reader`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.reading.data import any_topic, topics
from bot.reading.names import Mention
from bot.reading.text import Text, fold

_TOPIC_OF = {
    "color": "cor", "transmission": "cambio", "year": "ano", "fuel": "combustivel", "mileage": "km",
}  # fmt: skip


_CABIN = re.compile(r"\bcabine (?:dupla|simples)\b(?! ou\b)")
"""A trim that is named, not a question about it."""
_IS_CABIN = re.compile(r"\b(?:e|tem) cabine\b")


def _of_trims(text: Text, names: list[Mention]) -> Iterable[int]:
    """Tokens that are the trim of a named model: `EcoSport 4x4` asks nothing about its traction."""
    for name in names:
        words = {fold(word) for word in name.trim}
        yield from (at for at in range(name.start, name.end) if text.tokens[at].text in words)


def asked_topics(text: Text, names: list[Mention], free: frozenset[str]) -> tuple[str, ...]:
    """The topics that are asked about, but for those that the buyer says do not matter."""
    flat = text.flat
    trims = frozenset(_of_trims(text, names))
    if trims:
        flat = " ".join(token.text for at, token in enumerate(text.tokens) if at not in trims)
    if any_topic().search(flat) is None:
        return ()
    named = _CABIN.search(text.flat) and not (text.question and _IS_CABIN.search(text.flat))
    do_not_matter: set[str | None] = {"cabine"} if named else set()
    do_not_matter |= {_TOPIC_OF.get(key) for key in free}
    asked = tuple(
        topic.name
        for topic in topics()
        if topic.name not in do_not_matter and topic.ask.search(flat)
    )
    told = {other for name in asked for other in _TELLS_OF.get(name, ())}
    return tuple(name for name in asked if name not in told)


_TELLS_OF = {"autonomia": ("km", "carga", "consumo")}
"""`quantos km com uma carga?` is no question for the mileage."""

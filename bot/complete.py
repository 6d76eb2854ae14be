"""Says how finished a message looks, which decides how long Lucas waits. Called by `worker`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.reading.intents import Intent
from bot.reading.lexicon import Lexicon
from bot.reading.reader import Reading, read
from bot.state import load
from bot.values import Completeness
from schema.events import EventKind

_ANY_YEAR = 2100
"""Only whether a year is stated matters here, not which one."""
_ENDS_OPEN = re.compile(
    r"(?:\b(?:e|ou|de|do|da|um|uma|o|a|que|pra|com|em|por|tipo|assim|mas|queria saber|ate|entao|"
    r"sobre|se|tem))$|\.\.\.$|,$"
)
_COMPLETE = frozenset(Intent) - {
    Intent.GREETING, Intent.UNCLEAR, Intent.SEARCH, Intent.THANKS, Intent.TRADE_IN,
}  # fmt: skip
_BARE_WISH = re.compile(r"(?:quero|queria|procuro|preciso|busco|tem|to|estou)\b")


class _NoStock:
    """Names from the data files alone: a message is judged before a stock is at hand."""

    lexicon = Lexicon.base()

    def trims(self, family: str) -> dict[str, str]:
        del family
        return {}


_NO_STOCK = _NoStock()


def completeness(
    text: str | None, kind: EventKind, state: Mapping[str, Any] | None = None
) -> Completeness:
    """A question, a whole wish or a button is complete; a bare hello is a greeting."""
    if kind is EventKind.INTERACTIVE or not (text or "").strip():
        return Completeness.COMPLETE if kind is EventKind.INTERACTIVE else Completeness.FRAGMENT
    reading = read(text or "", _NO_STOCK, this_year=_ANY_YEAR)
    if reading.intents == (Intent.GREETING,):
        return Completeness.GREETING
    if _ENDS_OPEN.search((text or "").strip().lower()):
        return Completeness.FRAGMENT
    if reading.text.question or _says_enough(reading, state or {}):
        return Completeness.COMPLETE
    return Completeness.FRAGMENT


def _says_enough(reading: Reading, state: Mapping[str, Any]) -> bool:
    if reading.intent in _COMPLETE:
        return True
    if reading.intent is Intent.SEARCH:
        return _wish_is_whole(reading)
    # an answer to a question of Lucas is whole, however short
    answers = bool(reading.loose) or reading.when_said.says_something()
    return reading.intent is not Intent.UNCLEAR or (answers and load(state).pending is not None)


def _wish_is_whole(reading: Reading) -> bool:
    """A model, or at least two things said of a car; `um carro` alone is only a beginning."""
    stated = reading.filters.spoken()
    if reading.filters.model or len(stated) > 1:
        return True
    return bool(stated) and bool(_BARE_WISH.match(reading.text.flat))

"""Tells who wants silence from who wants other cars. Called by `reading.intents`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.reading.data import attribute_words
from bot.reading.text import Text

_OTHERS_WISHED = re.compile(
    r"\b(?:mand\w+|envi\w+|mostr\w+|oferec\w+|quero)"
    r"(?! (?:\w+ )?(?:mensage|nada|propagand|anunci|spam|"
    r"notific))(?: \w+){1,4} (?:(?<!nao )(?:quero|queria|"
    r"prefiro|procuro)|so|manda so|mostra so|me (?:manda|mostra))(?: (?:ver|um|uma|os|as))* "
    r"(?P<word>[a-z0-9]+)"
)


def still_wishes(text: Text, filters: Filters) -> bool:
    """`para de mandar picape, quero suv` wants other cars, not silence."""
    match = _OTHERS_WISHED.search(text.flat)
    wanted = (*filters.body, *filters.color, *filters.fuel, filters.transmission)
    return match is not None and attribute_words().get(match["word"], ("", ""))[1] in wanted

"""Parts a brand from a model where a file has both in one cell. Called by `.vehicle`."""

from __future__ import annotations

import re
from functools import cache

from bot.reading.lexicon import Lexicon, NameKind
from bot.reading.text import compact

_IMPORTED = re.compile(r"(?i)^(?:i|imp)\s*/\s*")
"""How vehicle papers mark an imported car: I/BMW 320I."""
_PARTED = re.compile(r"^([^/|]{2,24}?)\s*(?:/|\||\s-\s)\s*(.+)$")


@cache
def _lexicon() -> Lexicon:
    return Lexicon.base()


def split_name(text: str) -> tuple[str, str] | None:
    """`VW/Gol 1.0`, `Fiat - Argo`, `Land Rover Evoque`, `Onix LT`; None where no brand is known
    and no sign parts it from the model."""
    bare = _IMPORTED.sub("", text.strip())
    if match := _PARTED.match(bare):
        return _lexicon().brand(match[1].strip()), match[2].strip()
    words = bare.split()
    for count in (3, 2, 1):
        if len(words) <= count:
            continue
        name = _lexicon().name(compact(" ".join(words[:count])))
        if name is not None and name.kind is NameKind.BRAND:
            spelt = " ".join(words[:count])
            return _lexicon().brand(spelt), " ".join(words[count:])
    family = _lexicon().family_of(bare)
    return None if family is None else (family[0].brand, bare)

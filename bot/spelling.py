"""Gives each family of cars the name by which its dealer writes it. Called by `stock`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bot.reading.lexicon import Family
from bot.reading.text import compact


def most_written(families: Iterable[Family]) -> list[Family]:
    """Each family once, as this dealer writes it most often; the last of equals wins."""
    written = Counter(families)
    return sorted(written, key=lambda family: written[family])


def as_he_spells(family: Family, model: str) -> Family:
    """With the dealer's own accents, blanks and hyphens (Doblo, HRV); odd capitals are not kept."""
    words = model.split()
    wanted = compact(family.name)
    for count in range(1, len(words) + 1):
        said = " ".join(words[:count])
        if compact(said) == wanted:
            return replace(family, name=_spelt(family.name, said))
    return family


def _spelt(listed: str, said: str) -> str:
    """His own marks; `DOBLO` of the listed Doblò is Doblo, `hrv` of HR-V is HRV."""
    if said.lower() == listed.lower():
        return listed
    if not (said.isupper() or said.islower()):
        return said
    letters = [char for char in listed if compact(char)]
    shown = ""
    for char in said:
        like = letters.pop(0) if compact(char) and letters else ""
        shown += char.upper() if like.isupper() else char.lower() if like else char
    return shown

"""Knows the names of cars: brands, families, nicknames. Used by `stock` and `reading`.

The base lexicon is data; each stock adds what its dealer has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from bot.reading.data import attribute_words, load
from bot.reading.slips import MIN_OWN, Slips
from bot.reading.text import compact, fold

MAX_NAME_TOKENS = 4
MIN_SINGLE = 3
_DOUBLED = re.compile(r"([a-z])\1")


class NameKind(StrEnum):
    """What a name is the name of."""

    BRAND = "brand"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Name:
    """What a spelling means. `value` is the name as shown."""

    kind: NameKind
    value: str
    everyday: bool = False
    """Also an ordinary word: counts only beside its brand."""


@dataclass(frozen=True, slots=True)
class Family:
    """A model of car without trim."""

    name: str
    brand: str
    body: str | None


class Lexicon:
    """Names by their compact spelling, with tolerance for slips."""

    def __init__(
        self, names: dict[str, Name], families: dict[str, Family], slips: tuple[Slips, ...]
    ) -> None:
        self._names = names
        self._families = families
        self._slips = slips
        self._tails: dict[str, dict[str, Name]] = {}

    @classmethod
    @cache
    def base(cls) -> Lexicon:
        """All that the data files know."""
        names, families = _read_names()
        return cls(names, families, (Slips(_guessable(names)),))

    def joined(self, extra: Iterable[Family]) -> Lexicon:
        """This lexicon with a dealer's own families; his names are never everyday words."""
        names, families = dict(self._names), dict(self._families)
        fresh: list[str] = []
        own: list[str] = []
        for family in extra:
            key = compact(family.name)
            own.append(key)
            fresh.extend(word for word in (key, compact(family.brand)) if word not in names)
            listed = families.get(key)
            if listed is not None and listed.name != family.name:
                names |= _renamed(names, listed.name, family.name)
            names[key] = Name(NameKind.FAMILY, family.name)
            families[key] = family
            names.setdefault(compact(family.brand), Name(NameKind.BRAND, family.brand))
        names |= _short_names(names, set(own))
        more = [Slips(fresh)] if fresh else []
        if own:
            more.append(Slips(own, min_edit=MIN_OWN))
        return Lexicon(names, families, (*self._slips, *more))

    def name(self, key: str) -> Name | None:
        """What this compact spelling names, spelt right."""
        return self._names.get(key)

    def guess(self, token: str) -> Name | None:
        """What a misspelt single word names."""
        for slips in self._slips:
            word = slips.find(token)
            if word is not None:
                return self._names.get(word)
        single = _DOUBLED.sub(r"\1", token)  # gool: too short to go by its sound
        name = self._names.get(single) if MIN_SINGLE <= len(single) < len(token) else None
        return None if name is None or name.everyday else name

    def tails(self, family: str) -> dict[str, Name]:
        """Second words of the longer families that begin with this one: cross -> Corolla Cross."""
        if family not in self._tails:
            begin = fold(family).split()
            self._tails[family] = {
                words[-1]: Name(NameKind.FAMILY, longer.name)
                for longer in self._families.values()
                if (words := fold(longer.name).replace("-", " ").split())[:-1] == begin
            }
        return self._tails[family]

    def family(self, name: str) -> Family | None:
        """The family of this name."""
        return self._families.get(compact(name))

    def brand(self, raw: str) -> str:
        """The brand as shown for a spelling in a dealer's table (VW is Volkswagen)."""
        known = self._names.get(compact(raw))
        return known.value if known and known.kind is NameKind.BRAND else raw.strip()

    def family_of(self, model: str) -> tuple[Family, str] | None:
        """The longest family that begins a model's name in whole words, and the rest: the trim."""
        words = fold(model).split()
        for count in range(min(len(words), MAX_NAME_TOKENS), 0, -1):
            family = self._families.get(compact(" ".join(words[:count])))
            if family is not None:
                return family, " ".join(model.split()[count:])
        return None


@cache
def _short_for() -> dict[str, tuple[str, ...]]:
    raw: dict[str, list[str]] = load("cars")["short_for"]
    return {compact(short): tuple(map(compact, whole)) for short, whole in raw.items()}


def _short_names(names: dict[str, Name], own: set[str]) -> dict[str, Name]:
    """Tiggo is the Tiggo 5X of a dealer who has no other Tiggo."""
    found: dict[str, Name] = {}
    for short, whole in _short_for().items():
        having = [key for key in whole if key in own]
        if short not in own and len(having) == 1:
            found[short] = names[having[0]]
    return found


def _renamed(names: dict[str, Name], listed: str, shown: str) -> dict[str, Name]:
    """The nicknames of a family that this dealer spells in his own way."""
    return {key: replace(name, value=shown) for key, name in names.items() if name.value == listed}


def _guessable(names: dict[str, Name]) -> list[str]:
    return [key for key, name in names.items() if not name.everyday]


def _read_names() -> tuple[dict[str, Name], dict[str, Family]]:
    raw = load("cars")
    nicknames: dict[str, list[str]] = raw.pop("nicknames")
    everyday = {compact(word) for word in raw.pop("everyday")["names"]}
    raw.pop("gender")  # of `grammar`
    raw.pop("short_for")  # of `_short_names`
    names: dict[str, Name] = {}
    families: dict[str, Family] = {}
    for brand, entry in raw.items():
        for spelling in (brand, *entry.pop("aliases", ())):
            _add(names, spelling, NameKind.BRAND, brand, everyday)
        for body, members in entry.items():
            for member in members:
                families[compact(member)] = Family(member, brand, body)
                _add(names, member, NameKind.FAMILY, member, everyday)
    for member, spellings in nicknames.items():
        for spelling in spellings:
            names[compact(spelling)] = Name(
                NameKind.FAMILY, member, everyday=compact(spelling) in everyday
            )
    return names, families


def _add(
    names: dict[str, Name], spelling: str, kind: NameKind, value: str, everyday: set[str]
) -> None:
    key = compact(spelling)
    names.setdefault(key, Name(kind, value, everyday=key in everyday))


@cache
def attribute_slips() -> Slips:
    """Misspelt colours, fuels, gearboxes and bodies (automatco, vermelo)."""
    return Slips(word for word in attribute_words() if len(word) >= MIN_ATTRIBUTE)


MIN_ATTRIBUTE = 5

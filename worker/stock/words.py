"""Knows how dealers name columns, states, fuels and gearboxes. Used by all readers of stock files.

The words stand in `columns.toml`; a dealer's own file of the same form adds to them.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

_SECTIONS = ("columns", "status", "fuel", "transmission", "price", "lines", "tables")
FIELDS = (
    "id", "codigo", "chassi", "brand_model", "brand", "model", "version", "years", "year",
    "year_model", "price", "mileage", "color", "fuel_type", "transmission", "description",
    "extras", "status", "images",
)  # fmt: skip
"""What a column can mean."""
SEVERAL = frozenset({"extras", "images"})
"""Fields that may have several columns."""
_KINDS_OF_STATUS = frozenset({"available", "reserved", "sold", "silent"})
_NUMBERED = re.compile(r" \d{1,2}$")


class BadWords(ValueError):
    """A dealer's own file of words cannot be used. Says what to change, in Portuguese."""


@lru_cache(maxsize=20_000)
def plain(text: str) -> str:
    """Lower case without accents, words of letters and digits with one blank between."""
    parted = re.sub(r"(?<=[a-zà-ü])(?=[A-ZÀ-Ü])", " ", text)
    bare = unicodedata.normalize("NFKD", parted.lower())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(re.findall(r"[a-z0-9]+", letters))


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one import: keys are plain, values what they mean."""

    columns: Mapping[str, tuple[str, int]]
    """The field of a heading, and its place among the headings of that field."""
    status: Mapping[str, str]
    fuel: Mapping[str, str]
    transmission: Mapping[str, str]
    no_price: frozenset[str]
    sums: tuple[str, ...]
    tables: Mapping[str, str]

    def field_of(self, heading: str) -> tuple[str, int] | None:
        """What a column means and how well its name fits (0 is best). None: nothing to us."""
        key = plain(heading)
        found = self.columns.get(key)
        if found is None and (match := _NUMBERED.search(key)):  # Foto 2
            found = self.columns.get(key[: match.start()])
            if found is not None and found[0] not in SEVERAL:
                return None
        return found

    def fuel_of(self, cell: str) -> str | None:
        """Flex of `Gasolina/Álcool`, Diesel of `Diesel S10`; None when no word is known."""
        kinds = [self.fuel[word] for word in plain(cell).split() if word in self.fuel]
        if "GNV" in kinds:
            rest = _one_fuel([kind for kind in kinds if kind != "GNV"])
            return f"{rest} e GNV" if rest else "GNV"
        return _one_fuel(kinds)

    def transmission_of(self, cell: str) -> str | None:
        """`Aut. 6 marchas` is `Automático 6 marchas`; None when no word is known."""
        words = plain(cell.replace("A/T", "at").replace("M/T", "mt")).split()
        kinds = dict.fromkeys(
            self.transmission[word] for word in words if word in self.transmission
        )
        if not kinds:
            return None
        kind = "Automático CVT" if "Automático CVT" in kinds else next(iter(kinds))
        gears = re.search(r"\b(\d{1,2})\s*(?:marchas|m|v|velocidades|vel)\b", " ".join(words))
        return f"{kind} {gears[1]} marchas" if gears else kind

    def is_sum(self, cell: str) -> bool:
        """Whether a line that begins so adds up others."""
        key = plain(cell)
        return any(key == word or key.startswith(word + " ") for word in self.sums)


def _one_fuel(kinds: Sequence[str]) -> str | None:
    known = set(kinds)
    for kind in ("Híbrido", "Flex"):
        if kind in known:
            return kind
    if {"Gasolina", "Etanol"} <= known:
        return "Flex"
    if "Elétrico" in known:
        return "Híbrido" if len(known) > 1 else "Elétrico"
    return kinds[0] if kinds else None


@cache
def our_words() -> Words:
    """The words that come with the product."""
    return _words([_ours()])


def words_with(path: Path | None) -> Words:
    """Ours and those of a dealer's own file. Raises BadWords."""
    if path is None:
        return our_words()
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadWords(f"{path.name} não é um arquivo TOML em UTF-8: {error}") from error
    _check(path.name, own)
    return _words([own, _ours()])


def _ours() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((files("worker") / "stock" / "columns.toml").read_text(encoding="utf-8"))


def _check(name: str, own: Mapping[str, object]) -> None:
    for section, entries in own.items():
        if section not in _SECTIONS or not isinstance(entries, dict):
            raise BadWords(f"{name}: não existe a seção [{section}]; use {', '.join(_SECTIONS)}")
        for entry, listed in entries.items():
            if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
                raise BadWords(
                    f'{name}: {section}.{entry} deve ser uma lista, por exemplo ["Preço"]'
                )
    columns, states = own.get("columns", {}), own.get("status", {})
    if isinstance(columns, dict) and (strange := set(columns) - set(FIELDS)):
        raise BadWords(f"{name}: não existe o campo {min(strange)}; use {', '.join(FIELDS)}")
    if isinstance(states, dict) and (strange := set(states) - _KINDS_OF_STATUS):
        raise BadWords(f"{name}: não existe o status {min(strange)}; use available, reserved, sold")


def _words(sources: Sequence[Mapping[str, Mapping[str, Sequence[str]]]]) -> Words:
    """The first source that knows a word decides."""
    columns: dict[str, tuple[str, int]] = {}
    for rank, source in enumerate(sources):
        for field, headings in source.get("columns", {}).items():
            for place, heading in enumerate(headings):
                columns.setdefault(plain(heading), (field, rank * 1000 + place))
    return Words(
        columns=columns,
        status=_meanings(sources, "status"),
        fuel=_meanings(sources, "fuel"),
        transmission=_meanings(sources, "transmission"),
        no_price=frozenset(_meanings(sources, "price")) | {""},
        sums=tuple(_meanings(sources, "lines")),
        tables={name: kind for source in sources for kind, names in
                source.get("tables", {}).items() for name in names},
    )  # fmt: skip


def _meanings(
    sources: Sequence[Mapping[str, Mapping[str, Sequence[str]]]], section: str
) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in sources:
        for meaning, words in source.get(section, {}).items():
            for word in words:
                found.setdefault(plain(word), meaning)
    return found

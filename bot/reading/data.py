"""Loads the TOML of `bot/data` once per process. Called by the modules that read words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

ATTRIBUTES = ("color", "fuel", "transmission", "body")


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that is asked about one car; see bot/data/topics.toml."""

    name: str
    label: str
    ask: re.Pattern[str]
    find: re.Pattern[str] | None
    of_store: bool = False
    """The store does it or not, whatever the car (entrega)."""
    kinds: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = ()
    """Who asks for this kind of it (teto solar) means cars whose advertisement says that."""


def load(name: str) -> dict[str, Any]:
    """One file of `bot/data`, parsed. Raises what tomllib raises: the file ships with the code."""
    return tomllib.loads((files("bot.data") / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def shorthand() -> dict[str, tuple[str, ...]]:
    """Abbreviation -> the words that it stands for."""
    return {short: tuple(long.split()) for short, long in load("words")["short"].items()}


@cache
def attribute_words() -> dict[str, tuple[str, str]]:
    """Word -> (filter key, value), e.g. branca -> (color, branco)."""
    words = load("words")
    return {
        word: (key, value)
        for key in ATTRIBUTES
        for value, spellings in words[key].items()
        for word in spellings
    }


@cache
def plain_words() -> frozenset[str]:
    """Everyday words that are never taken for a misspelt name or attribute."""
    return frozenset(load("words")["plain"]["words"])


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in the order in which they are answered."""
    return tuple(
        Topic(
            name,
            raw["label"],
            any_of(raw["ask"]),
            any_of(raw["find"]) if "find" in raw else None,
            of_store=raw.get("of_store", False),
            kinds=tuple(
                (re.compile(asked), re.compile(said)) for asked, said in raw.get("kinds", ())
            ),
        )
        for name, raw in load("topics").items()
    )


@cache
def any_topic() -> re.Pattern[str]:
    """Matches where at least one topic does: most turns ask about none."""
    return any_of([way for raw in load("topics").values() for way in raw["ask"]])


def any_of(ways: Iterable[str]) -> re.Pattern[str]:
    """One pattern for many ways to say a thing.

    What begins with a word boundary shares one: `re` then looks only where a word begins, which
    makes the long lists of the data files several times as quick.
    """
    whole = list(ways)
    at_words = [way[2:] for way in whole if way.startswith(r"\b") and not _is_choice(way)]
    others = [way for way in whole if not way.startswith(r"\b") or _is_choice(way)]
    parts = [rf"\b(?:{'|'.join(at_words)})"] if at_words else []
    return re.compile("|".join([*parts, *others]))


def _is_choice(way: str) -> bool:
    """True for `a|b` outside of all brackets: its first boundary is not for all of it."""
    depth, escaped = 0, False
    for char in way:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "|" and depth == 0:
            return True
    return False

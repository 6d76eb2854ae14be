"""Loads the TOML of `bot/data` once per process. Called by the modules that read words."""

from __future__ import annotations

import re
import tomllib
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
            re.compile("|".join(raw["ask"])),
            re.compile("|".join(raw["find"])) if "find" in raw else None,
        )
        for name, raw in load("topics").items()
    )


@cache
def any_topic() -> re.Pattern[str]:
    """Matches where at least one topic does: most turns ask about none."""
    return re.compile("|".join(topic.ask.pattern for topic in topics()))

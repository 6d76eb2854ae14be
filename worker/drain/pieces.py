"""Cuts what is too long for one WhatsApp message into several. Called by `worker.drain.turns`.

Before rows are written: each piece is a row of its own, sent and recorded once. WhatsApp's lengths
are those of Meta's reference; characters are counted as JavaScript does (an emoji may be two), the
strictest way that any gateway counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from bot.values import Bubble, BubbleKind

LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024

_ENDS = (
    re.compile(r"\n\s*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"[.!?…][\"”')\]]*(\s+)"),
    re.compile(r"\s+"),
)
"""Where a text may be cut, the best first: paragraph, line, sentence, word."""
_EMPTY_HALF = 0.5
"""A better place that leaves a piece emptier than this is not worth it."""
_JOINER, _FLAG_LETTERS = "\u200d", range(0x1F1E6, 0x1F200)
_SKINS = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)


def pieces(bubble: Bubble) -> list[Bubble]:
    """The bubble, or several that say the same in its order; facts go along with each.

    A caption's rest follows its photo; what can be tapped stays with the end of its text.
    """
    text = bubble.text or ""
    if bubble.kind is BubbleKind.TEXT:
        parts = split(text, LONGEST_TEXT)
        return [replace(bubble, text=part) for part in parts] if len(parts) > 1 else [bubble]
    if bubble.kind is BubbleKind.LOCATION and text:  # a place on the map has no caption
        return [*pieces(_said(bubble, text)), replace(bubble, text=None)]
    if units(text) <= LONGEST_CAPTION:
        return [bubble]
    if bubble.kind in {BubbleKind.BUTTONS, BubbleKind.LIST}:
        *before, last = split(text, LONGEST_CAPTION)
        return [*(_said(bubble, part) for part in before), replace(bubble, text=last)]
    caption, *after = split(text, LONGEST_CAPTION)
    return [replace(bubble, text=caption), *(_said(bubble, part) for part in after)]


def split(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` characters, cut at sentences where there are any.

    Only a single word that is longer than the limit is cut, and then between visible characters.
    """
    parts, rest = [], text
    while len(rest) > limit or units(rest) > limit:  # counted only where it matters
        end, start = _cut(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[start:].lstrip()
    rest = rest.rstrip() if parts else rest
    return [part for part in (*parts, rest) if part.strip()] or [text]


def units(text: str) -> int:
    """Its length as JavaScript counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def _said(bubble: Bubble, text: str) -> Bubble:
    return Bubble(text=text, facts=bubble.facts)


def _cut(text: str, limit: int) -> tuple[int, int]:
    """Where the first part ends and the rest begins."""
    most = _within(text, limit)
    for pattern in _ENDS:
        last = None
        for found in pattern.finditer(text, 0, most + 1):
            gap = found.start(1) if pattern.groups else found.start()
            if 0 < gap <= most:
                last = (gap, found.end())
        good_enough = 1 if pattern is _ENDS[-1] else most * _EMPTY_HALF
        if last is not None and last[0] >= good_enough:
            return last
    end = max((at for at in _visible_ends(text, most)), default=most)
    return end, end


def _within(text: str, limit: int) -> int:
    """How many code points from the start are within the limit."""
    count = 0
    for place, character in enumerate(text):
        count += 2 if character > "\uffff" else 1
        if count > limit:
            return place
    return len(text)


def _visible_ends(text: str, most: int) -> Iterator[int]:
    """Places up to `most` that lie between two visible characters (emoji, letters with accents)."""
    flags = 0
    for at in range(1, min(most, len(text) - 1) + 1):
        before, after = text[at - 1], text[at]
        flags = flags + 1 if ord(before) in _FLAG_LETTERS else 0
        inside_flag = ord(after) in _FLAG_LETTERS and flags % 2 == 1
        if not (inside_flag or before == _JOINER or _clings(after)):
            yield at


def _clings(character: str) -> bool:
    """Whether it is drawn upon the character before it."""
    if character == _JOINER or unicodedata.combining(character):
        return True
    if ord(character) in _SKINS or ord(character) in _TAGS:
        return True
    return unicodedata.category(character) in {"Mn", "Me", "Mc"}

"""Turns what a buyer wrote into plain words. Called by `reading.reader` and `completeness`.

Plain: lower case, no accents, abbreviations written out, drawn-out letters shortened.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from bot.reading.data import shorthand

MAX_CHARS = 2000
"""A longer message is cut: WhatsApp allows 65 536 characters, no wish for a car needs them."""

_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
_TOKEN = re.compile(r"r\$|[0-9]+(?:[.,/:][0-9]+)*[a-z%]*[0-9]*|[a-z]+[0-9]*[a-z0-9]*|[.,;!?\n:()|]")
_BREAKS = frozenset(".,;!?\n:()|")


class Token(NamedTuple):
    """A word or number. `breaks`: punctuation or a new message stands before it."""

    text: str
    breaks: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A buyer's words, ready to be read."""

    tokens: tuple[Token, ...]
    flat: str
    """All tokens with one blank between, no punctuation."""
    question: bool

    def before(self, index: int, count: int = 6, *, cross: bool = False) -> str:
        """Up to `count` tokens before `index`, not beyond a break unless `cross`."""
        start = index
        while start > 0 and index - start < count and (cross or not self.tokens[start].breaks):
            start -= 1
        return " ".join(token.text for token in self.tokens[start:index])

    def after(self, index: int, count: int = 4) -> str:
        """Up to `count` tokens from `index` on, not beyond a break."""
        end = index
        while end < len(self.tokens) and end - index < count and not self.tokens[end].breaks:
            end += 1
        return " ".join(token.text for token in self.tokens[index:end])


_NAME_CHARS = 60


def fold(text: str) -> str:
    """Lower case without accents; letters written three times or more become one."""
    return _fold_name(text) if len(text) <= _NAME_CHARS else _fold(text)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _DRAWN_OUT.sub(r"\1", bare)


@lru_cache(maxsize=8192)
def _fold_name(text: str) -> str:
    """Names, colours and gearboxes of a stock come again and again."""
    return _fold(text)


@lru_cache(maxsize=8192)
def compact(text: str) -> str:
    """Letters and digits only: `T-Cross` and `t cross` are the same name."""
    return re.sub(r"[^a-z0-9]", "", fold(text))


# `num quero` is `não quero`; `num hb20` is `em um hb20`.
_NUM_FOR_NOT = re.compile(
    r"\bnum(?= (?:quero|queria|sei|tem|da|vou|vai|gost\w+|precis\w+|pode|e|consigo|posso|curto|"
    r"tenho|esta|ta|to)\b)"
)


# `suv d 2018`, `s/ entrada`; a `D-20` is a pickup, a bare `s` a yes.
_OF = re.compile(r"\bd(?=\s+(?!10\b|20\b)[a-z0-9])")
_WITHOUT = re.compile(r"\bs/(?=\s*[a-z0-9])")
_PLUS = re.compile(r"(?<=[0-9]{4})\+(?![0-9])")


def prepare(text: str) -> Text:
    """Cut into words; total for every string."""
    short = shorthand()
    tokens: list[Token] = []
    breaks = False
    folded = _NUM_FOR_NOT.sub("nao", fold(text[:MAX_CHARS]))
    folded = _WITHOUT.sub("sem ", _OF.sub("de", folded))
    folded = _PLUS.sub(" pra cima", folded).replace("pick-up", "pickup")
    for piece in _TOKEN.findall(folded):
        if piece in _BREAKS:
            breaks = True
            continue
        counted = piece == "min" and bool(tokens) and tokens[-1].text.isdigit()
        if counted:  # `15 min` are minutes, `min 50` is a minimum
            piece = "minutos"
        for word in short.get(piece, (piece,)):
            tokens.append(Token(word, breaks))
            breaks = False
    return Text(tuple(tokens), " ".join(token.text for token in tokens), "?" in folded)

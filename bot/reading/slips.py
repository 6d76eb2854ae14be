"""Finds the word that a misspelt one was meant to be. Called where words are looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

MIN_SOUND = 4
MIN_EDIT = 6
"""Shorter words have too many neighbours (busca, fusca) to be guessed by a letter."""
MIN_OWN = 4
"""But a dealer has few models: of those, two neighbours swapped is guessed even here."""
MIN_INSERT = 5
"""A letter too many makes other words of shorter ones (toro, torno, touro)."""

MIN_TWO = 8
"""A dealer's own long names are known by most of their letters: two may be wrong (renegue)."""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

_REMEMBERED = 5000
"""Everyday words come in every turn; what they are slips of is worked out once."""
_SOUNDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        (r"ph", "f"),
        (r"ck|k|qu|q", "c"),
        (r"c(?=[ei])", "s"),
        (r"cs|cz|ks", "x"),
        (r"y", "i"),
        (r"w", "v"),
        (r"z", "s"),
        (r"h", ""),
        (r"([a-z])\1", r"\1"),
        (r"n(?=[pb])|m$", "n"),
        (r"i$", "e"),
    )
)


def sound(word: str) -> str:
    """A key that like-sounding spellings share: onics and onix, corola and corolla."""
    for pattern, to in _SOUNDS:
        word = pattern.sub(to, word)
    return word


def _without_one(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(1, len(word))}


class Slips:
    """An index over known words; `find` gives the one that a token is a slip of."""

    __slots__ = ("_edits", "_found", "_known", "_long", "_min_edit", "_sounds")

    def __init__(self, known: Iterable[str], *, min_edit: int = MIN_EDIT) -> None:
        """`min_edit`: the shortest word to be guessed by a letter; MIN_OWN for a few known ones."""
        self._known = frozenset(known)
        self._min_edit = min_edit
        self._found: dict[str, str | None] = {}
        own = min_edit == MIN_OWN
        self._long = [word for word in sorted(self._known) if own and len(word) >= MIN_TWO]
        self._sounds: dict[str, str] = {}
        self._edits: dict[str, list[str]] = {}
        for word in sorted(self._known):
            if len(word) >= MIN_SOUND and word.isascii() and word.isalnum():
                self._sounds.setdefault(sound(word), word)
            if len(word) >= min_edit and word.isascii() and word.isalpha():
                for key in _without_one(word) | {word}:
                    self._edits.setdefault(key, []).append(word)

    def find(self, token: str) -> str | None:
        """The known word that `token` (not known itself) sounds like or is one letter away from.

        The first letter always counts: people rarely get that one wrong.
        """
        if token not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[token] = self._search(token)
        return self._found[token]

    def _search(self, token: str) -> str | None:
        if len(token) < MIN_SOUND or len(token) > 24:
            return None
        by_sound = self._sounds.get(sound(token))
        if by_sound is not None:
            return by_sound
        if len(token) < max(self._min_edit - 1, MIN_SOUND) or not token.isalpha():
            return None
        for key in (token, *sorted(_without_one(token))):
            for word in self._edits.get(key, ()):
                if _one_apart(token, word, beside=self._min_edit == MIN_OWN):
                    return word
        return next((word for word in self._long if _two_apart(token, word)), None)


def _beside_on_keyboard() -> frozenset[tuple[str, str]]:
    """Pairs of letters that a thumb or an ear mixes up."""
    pairs = [pair for row in _ROWS for pair in pairwise(row)]
    for upper, lower in pairwise(_ROWS):
        pairs += [*zip(upper, lower, strict=False), *zip(upper[1:], lower, strict=False)]
    pairs += [("e", "i"), ("o", "u")]  # said alike at the end of a word: yares, argu
    return frozenset(pairs) | frozenset((second, first) for first, second in pairs)


_BESIDE = _beside_on_keyboard()


def _one_apart(token: str, word: str, *, beside: bool) -> bool:
    """True when one letter is missing, added, changed, or two neighbours are swapped.

    `beside`: in a short word too, a letter may be the one beside it on the keyboard (argi).
    """
    if len(token) != len(word):
        if len(word) < MIN_INSERT:
            return False
        longer, shorter = (token, word) if len(token) > len(word) else (word, token)
        return shorter in _without_one(longer)
    wrong = [index for index in range(len(token)) if token[index] != word[index]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        first, second = wrong
        return token[first] == word[second] and token[second] == word[first]
    if len(wrong) != 1:
        return False
    near = (token[wrong[0]], word[wrong[0]]) in _BESIDE
    return len(word) >= MIN_EDIT or (beside and near)


def _two_apart(token: str, word: str) -> bool:
    """True when two letters are missing, added or changed; the first one is right."""
    if token[0] != word[0] or abs(len(token) - len(word)) > 2 or len(token) < MIN_TWO - 1:
        return False
    row = list(range(len(word) + 1))
    for i, letter in enumerate(token, 1):
        before, row = row, [i]
        for j, other in enumerate(word, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other)))
    return row[-1] <= 2

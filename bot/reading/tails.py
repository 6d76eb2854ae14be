"""Finds the longer name that a shorter one begins (Corolla cros). Called by `reading.names`."""

from __future__ import annotations

from bot.reading.data import attribute_words, plain_words
from bot.reading.lexicon import Lexicon, Name, NameKind
from bot.reading.slips import sound
from bot.reading.text import Text, compact

MIN_TAIL = 4
"""A shorter word has too many neighbours to be a slip of the second half of a name."""
LOOK_AHEAD = 4
_ON_THE_WAY = frozenset(
    (
        "o",
        "a",
        "novo",
        "nova",
        "aquele",
        "aquela",
        "esse",
        "essa",
        "modelo",
        "versao",
        "so",
        "que",
        "mas",
    )
)
_ARTICLES = frozenset(("o", "a", "versao", "modelo"))


def longer(
    text: Text, end: int, family: str, lexicon: Lexicon, trims: dict[str, str]
) -> tuple[Name, int] | None:
    """The longer family that is meant, and where its name ends; None where the short one is.

    Just after the name its second half may be misspelt; said later (`o Corolla novo, o Cross`) it
    must be spelt right and have an article. What is a trim of the dealer's own cars is that.
    """
    if end >= len(text.tokens):
        return None
    by_body = None if text.tokens[end].breaks else _by_body(family, text.tokens[end].text, lexicon)
    if by_body is not None:
        return by_body, end + 1
    tails = lexicon.tails(family)
    if not tails:
        return None
    if not text.tokens[end].breaks:
        meant = _meant(text.tokens[end].text, tails, trims)
        if meant is not None:
            return meant, end + 1
    for index in range(end, min(end + LOOK_AHEAD, len(text.tokens))):
        word = text.tokens[index].text
        after_article = index > end and text.tokens[index - 1].text in _ARTICLES
        if word in tails and word not in trims and after_article:
            return tails[word], index + 1
        if word not in _ON_THE_WAY:
            return None
    return None


def _by_body(family: str, token: str, lexicon: Lexicon) -> Name | None:
    """`Yaris sedã`, `Onix sedã`: the family that this body, however it is spelt, stands for."""
    key, body = attribute_words().get(token, ("", ""))
    name = lexicon.name(compact(family + body)) if key == "body" else None
    return name if name is not None and name.kind is NameKind.FAMILY else None


def _meant(token: str, tails: dict[str, Name], trims: dict[str, str]) -> Name | None:
    if token in trims or len(token) < MIN_TAIL or not token.isalpha():
        return None
    if token in plain_words() or token in attribute_words():
        return None
    near = (name for tail, name in tails.items() if _near(token, tail))
    return next(near, None)


def _near(token: str, tail: str) -> bool:
    """The same sound, one letter apart, or the first half of a long word (week for Weekend)."""
    if len(tail) < MIN_TAIL or token[0] != tail[0] or not tail.isalpha():
        return False
    if sound(token) == sound(tail) or (len(tail) > MIN_TAIL and tail.startswith(token)):
        return True
    if len(token) == len(tail):
        return sum(one != other for one, other in zip(token, tail, strict=True)) == 1
    shorter, whole = sorted((token, tail), key=len)
    return any(whole[:at] + whole[at + 1 :] == shorter for at in range(len(whole)))

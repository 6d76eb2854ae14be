"""Finds the buyer's own car where it is told by its body, not by a name. Called by `reader`."""

from __future__ import annotations

import re

from bot.reading.data import attribute_words
from bot.reading.text import Text

_MINE_BEFORE = re.compile(
    r"\b(?:meu|minha|(?<!nao )tenho (?:um|uma)|(?:dou|troco|dando|trocando) (?:um|uma|o|a))"
    r"(?: (?:carro|carrinho|veiculo|auto|usado|atual|possante|e|um|uma|ano))*$"
)
_ENDS = re.compile(
    r"(?:quero|queria|troc\w+|dar|n[oa]|ness[ea]|naquel[ea]|pelo|pela|por|pra|em|num|numa|quanto|"
    r"voces?|peg\w+|aceit\w+|avali\w+|procur\w+|preciso|busco|agora|hoje|e (?:quero|procuro|"
    r"preciso))"
    r"\b"
)


def own_described(text: Text, starts: frozenset[int]) -> frozenset[int]:
    """Tokens: `dou meu sedan 2014`, `tenho uma picape a diesel`. `starts`: where names begin."""
    found: set[int] = set()
    for index, token in enumerate(text.tokens):
        if attribute_words().get(token.text, ("", ""))[0] != "body" or index in found:
            continue
        if _MINE_BEFORE.search(text.before(index)):
            found.update(_to_its_end(text, index, starts))
    return frozenset(found)


def _to_its_end(text: Text, index: int, starts: frozenset[int]) -> range:
    """The words that describe it: until a wish, a question or a name begins."""
    end = index + 1
    while end < len(text.tokens) and end not in starts:
        ahead = " ".join(token.text for token in text.tokens[end : end + 2])
        if _ENDS.match(ahead):
            break
        end += 1
    return range(index, end)

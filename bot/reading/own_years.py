"""Finds the year of the buyer's own car where it has no name. Called by `reading.reader`."""

from __future__ import annotations

import re

from bot.reading.text import Text

_YEAR = re.compile(r"(?:19[89]|20[0-4])[0-9](?:/(?:[0-9]{2}|[0-9]{4}))?|[0-9]{2}/[0-9]{2}")
_MINE_BEFORE = re.compile(
    r"\b(?:carro que (?:eu )?tenho|meu|minha|tenho (?:um|uma|o|a)|(?:dou|troco) (?:um|uma))"
    r"(?: (?:mae|pai|esposa|marido|mulher|filh[oa]|irma|irmao|carro|carrinho|veiculo|auto|"
    r"usado|atual|possante|moto|e|de|do|ano|modelo|ele|ela))*$"
)
_ANY_BEFORE = re.compile(r"\b(?:carro|usado|veiculo|moto)(?: (?:ano|de|do|modelo))*$")
_GIVEN_AFTER = re.compile(r"(?:na|de|como|em) (?:troca|entrada|parte)\b")


def own_years(text: Text) -> frozenset[int]:
    """Tokens: `meu carro é 2012`, `troco meu 2016`, `aceita carro 2010 na troca`."""
    found: set[int] = set()
    for index, token in enumerate(text.tokens):
        if not token.text[0].isdigit() or _YEAR.fullmatch(token.text) is None:
            continue
        before = text.before(index)
        given = _ANY_BEFORE.search(before) and _GIVEN_AFTER.match(text.after(index + 1))
        if given or _MINE_BEFORE.search(before):
            found.add(index)
    return frozenset(found)

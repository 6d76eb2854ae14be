"""Finds what a buyer no longer cares about (tanto faz a cor). Called by `reading.reader`."""

from __future__ import annotations

import re

from bot.reading.text import Text

_KEYS = {
    "cor": "color", "cores": "color", "cambio": "transmission", "marca": "brand", "modelo": "model",
    "ano": "year", "combustivel": "fuel", "preco": "price", "valor": "price", "km": "mileage",
    "carroceria": "body",
}  # fmt: skip
_WHAT = "|".join(_KEYS)
_NO_MATTER = (
    r"tanto faz|nao importa\w*|nao ligo|nao faz diferenca|nao faco (?:mais )?questao|"
    r"nao tem importancia|"
    r"nao tenho preferencia|sem preferencia|indiferente|independente|da no mesmo|nao e problema|"
    r"nao precisa ser ess[ea]"
)
_BEFORE = re.compile(
    rf"\b(?:qualquer|{_NO_MATTER}|esquec[ea]|sem limite)"
    rf"(?: (?:a|o|as|os|de|da|do|com|pra|pela|pelo|se|um|uma|que|em))* (?P<key>{_WHAT})\b(?! menos)"
)
_AFTER = re.compile(
    rf"\b(?P<key>{_WHAT})(?: (?:pra mim|ai|nem|e|eu|ja|tambem|pode ser))* "
    rf"(?:{_NO_MATTER}|qualquer(?: (?:um|uma))?(?! \w)|(?:o )?de menos|livre)\b"
)
_EITHER = re.compile(
    r"\b(?:pode ser|serve|aceito|tanto faz|seja|tanto faz se e) (?:automatic[oa]|manual) ou "
    r"(?:automatic[oa]|manual)\b|"
    r"\btanto (?:automatic[oa]|manual) (?:como|quanto) (?:automatic[oa]|manual)\b"
)


_OTHER = re.compile(
    r"\b(?:pode ser|serve|aceito|vale|tambem|e|tem)(?: (?:de|em|com))? "
    r"(?:outr[oa]s?|qualquer outr[oa]) (?P<key>cor|cores|marca|ano|cambio)\b"
)
"""`pode ser de outra cor`."""
_NO_LIMIT = re.compile(
    r"\bsem (?:ess[ea]|o|nenhum|esse ai) (?:limite|teto|maximo)\b|"
    r"\b(?:pode ser|serve|aceito|vale) (?:um |uns )?mais (?P<year>velh|antig|usad)\w+"
)


def freed(text: Text) -> set[str]:
    """Filter keys by name: color, transmission, brand, model, year, fuel, price, mileage, body."""
    flat = text.flat
    keys = {_KEYS[match["key"]] for way in (_BEFORE, _AFTER) for match in way.finditer(flat)}
    keys |= {_KEYS[match["key"]] for match in _OTHER.finditer(flat)}
    no_limit = _NO_LIMIT.search(flat)
    if no_limit:
        keys.add("year" if no_limit["year"] else "price")
    if _EITHER.search(flat):
        keys.add("transmission")
    return keys

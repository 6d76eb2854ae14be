"""Finds what points back to cars already shown (esse, o segundo). Called by `reader`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.filters import Sort
from bot.reading.amounts import Amounts
from bot.reading.sorting import find_sort
from bot.reading.text import Text


class Pointing(StrEnum):
    """How a car is pointed at."""

    THIS = "this"
    ORDINAL = "ordinal"
    PRICE = "price"
    BEST = "best"
    """The first by an order: o mais barato desses."""
    OTHERS = "others"
    CHEAPER = "cheaper"
    THAN = "than"
    """Newer or less driven than the one spoken of: mais novo que ele."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointer. `number`: ordinal from 1 (-1: the last, 0: the middle), or a price in reais."""

    how: Pointing
    number: int = 0
    sort: Sort | None = None
    last: bool = False
    """The other end of that order: o mais rodado, o mais velho."""
    of_two: bool = False
    """The best of two: o mais barato dos dois."""
    than_this: bool = False
    """Cheaper than the one spoken of, not than all that were shown."""


_OF_TWO = re.compile(
    r"\b(?:(?:d|entre )?(?:os dois|as duas)|(?:dos|dess[ea]s) (?:dois|duas)|entre eles)\b"
)
_ORDINALS = (
    (1, r"primeir[oa](?! carro)|1 ?[oa]|numero (?:1|um)|opcao (?:1|um)"),
    (
        2,
        r"segund[oa](?! (?:feira|dono|as|de|a|[0-9]))|2 ?[oa]|(?:numero|opcao) (?:2|dois)",
    ),
    (3, r"terceir[oa]|3 ?[oa]|numero (?:3|tres)|opcao (?:3|tres)"),
    (4, r"quart[oa](?! feira)|4 ?[oa]|numero (?:4|quatro)|opcao (?:4|quatro)"),
    (5, r"quint[oa](?! feira)|5 ?[oa]|numero (?:5|cinco)|opcao (?:5|cinco)"),
    (-1, r"ultim[oa]"),
    (0, r"d[oa] meio"),
)
_ORDINAL = re.compile(
    r"\b(?:o|a|do|da|no|na|esse|essa|desse|dessa|e o|e a|d?o de numero|opcao|numero)? ?(?:"
    + "|".join(rf"(?P<n{'l' if n < 0 else n}>\b(?:{words})\b)" for n, words in _ORDINALS)
    + ")"
)
_ARTICLE_ORDINAL = re.compile(r"^(?:o|a|do|da|no|na|esse|essa|desse|dessa|opcao|numero|d?o de)\b")
_CHEAPER = re.compile(
    r"\b(?:tem|algo|alguma?|outr[oa]s?|opcao|opcoes|um|uma|coisa|nada|teria|quero|queria|so)?(?: "
    r"\w+)? ?mais (?:barat\w+|em conta|acessive\w+)\b"
)
_NOT_CHEAPER = re.compile(
    r"\b(?:o|a|os|as|do|da|qual|quais|pelo) "
    r"(?:(?!que\b|tem\b|ha\b|outr|algo|algu|opc|coisa)[a-z0-9]+ ){0,2}?mais (?:barat|em conta)"
)
_BEST = re.compile(
    r"\bqual(?: \w+){0,5} (?:(?:menos|menor) (?:km|rodag\w+)|(?:roda|"
    r"rodou) menos)(?P<of2> (?:desses|dessas|deles))?|"
    r"\b(?:o|a|do|da|qual|quem|qual d\w+ \w+)(?: e| esta)?(?: o| a)? (?:mais (?:barat|car|nov|"
    r"em conta|"
    r"recente|top|rodad|velh|antig)\w*|menos rodad\w+|(?:de|com|que tem) (?:menos|menor) km)"
    r"(?P<of> (?:desses|dessas|deles|delas|ai|entre))?"
)
_OLD_OR_NEW = re.compile(
    r"^(?:(?:e|mas|entao) )*(?:o|a) (nov[oa]|velh[oa]|antig[oa])\b"
    r"(?=$| (?:e|esta|tem|quanto|custa|qual|ainda|ja|sai|fica|vem|quero|serve)\b)"
)
"""`o velho não quero, o novo é quanto?`"""
_OTHER_END = re.compile(r"\bmais (rodad|velh|antig)")
_ENDS = {"rodad": Sort.MILEAGE_ASC, "velh": Sort.YEAR_DESC, "antig": Sort.YEAR_DESC}
_THAN = re.compile(
    r"\b(?:mais (?:barat\w+|em conta|acessive\w+|nov[oa]s?|recentes?)|por menos|abaixo|"
    r"menos (?:rodad[oa]s?|car[oa]s?|km)) (?:do )?(?:que|d)?(?: o preco d| a km d)?"
    r" ?(?:el[ea]|ess[ea]|est[ea]|isso|aquel[ea])\b(?! (?:ano|mes|valor que))"
)
_THIS = re.compile(
    r"\b(?:ess[ea]s?|est[ea] (?:carro|ai|aqui)|dess[ea]|dest[ea]|ness[ea]|nest[ea]|aquel[ea]|"
    r"daquel[ea]|naquel[ea]|"
    r"el[ea]|del[ea]|nel[ea]|isso|mesmo carro)\b"
)
_OTHERS = re.compile(
    r"\b(?:tem mais|mais opcoes|outr[oa]s(?: opcoes)?|outras|os demais|"
    r"(?<!entrada e )o resto(?! (?:em|eu|n[oa]|financ\w+|parcel\w+|a prazo|divid\w+|pag\w+|"
    r"d[aoe])\b)|proximos|ver mais|"
    r"tem outr[oa]|nao (?:gostei|curti|me agrad\w+|e bem isso)(?: de nenhum\w*)?|nenhum[a]? "
    r"(?:desses|"
    r"dessas|deles|delas)|algo diferente|outr[oa]s?$|outr[oa]s? (?:carros?|modelos?|opc(?:ao|oes)|"
    r"suvs?|sed(?:an|a)s?|hatchs?|picapes?|caminhonetes?|vans?|peruas?|automatic[oa]s?|manua(?:l|is))"
    r")\b"
)
_PRICE_OF = re.compile(r"\b(?:o|a|do|da|esse|aquele|no|na)(?: [a-z0-9-]+){0,2} de$")


def find_reference(text: Text, amounts: Amounts) -> Reference | None:
    """The most precise pointer in the text, or None."""
    return (
        _price(text, amounts)
        or _best_or_cheaper(text)
        or _ordinal(text)
        or (Reference(Pointing.THIS) if _THIS.search(text.flat) else None)
        or (Reference(Pointing.OTHERS) if _OTHERS.search(text.flat) else None)
    )


def _price(text: Text, amounts: Amounts) -> Reference | None:
    for index, value, thousands in amounts.loose:
        if _PRICE_OF.search(text.before(index, 4)):
            exact = value if thousands or value >= 1000 else value * 1000
            return Reference(Pointing.PRICE, round(exact))
    return None


def _best_or_cheaper(text: Text) -> Reference | None:
    than = _THAN.search(text.flat)
    if than:
        sort = find_sort(text)
        cheaper = sort is None or sort is Sort.PRICE_ASC
        how = Pointing.CHEAPER if cheaper else Pointing.THAN
        return Reference(how, sort=sort, than_this=True)
    plain = _OLD_OR_NEW.search(text.flat)
    if plain:
        return Reference(Pointing.BEST, sort=Sort.YEAR_DESC, last=not plain[1].startswith("nov"))
    best = _BEST.search(text.flat)
    if best:
        of_them = bool(best["of"] or best["of2"])
        of_two = bool(_OF_TWO.search(text.flat))
        end = _OTHER_END.search(best.group())
        sort = find_sort(text) if end is None else _ENDS[end[1]]
        return Reference(Pointing.BEST, int(of_them), sort, end is not None, of_two)
    if _CHEAPER.search(text.flat) and not _NOT_CHEAPER.search(text.flat):
        return Reference(Pointing.CHEAPER)
    return None


def _ordinal(text: Text) -> Reference | None:
    match = _ORDINAL.search(text.flat)
    if match is None:
        return _bare_digit(text)
    whole = match.group().strip()
    if not _ARTICLE_ORDINAL.match(whole) and whole != text.flat:
        return None
    name = match.lastgroup or "n1"
    return Reference(Pointing.ORDINAL, -1 if name == "nl" else int(name[1:]))


def _bare_digit(text: Text) -> Reference | None:
    """`2` or `o 2` as an answer to a list."""
    match = re.fullmatch(r"(?:e )?(?:o |a )?([1-5])", text.flat)
    return Reference(Pointing.ORDINAL, int(match[1])) if match else None

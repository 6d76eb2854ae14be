"""Hears what a buyer expects for his own car: never a wish for a car of that price.

Called by `reading.wished`, by `answers` once his car is known, and by `rules.trade`.
"""

from __future__ import annotations

import re

from bot.filters import Filters

_MINE = r"(?:[dn]?[oa] |pel[oa] |por )?(?:meu|minha)\b"
_IT = r"(?:nel[ea]|del[ea]|(?:por |pr[ao] |com )?el[ea]|isso|nisso)\b"
_GIVES = (
    r"(?:pag(?:am?|ar|ariam?)|dao|dariam?|val(?:e|em|er|eria|iam?)|peg(?:am?|ar|ariam?)|"
    r"avali(?:am?|ar|ariam?|em)|oferec\w+|cheg(?:am?|ar|ariam?)|fipe|compr(?:am?|ariam?)|"
    r"aceit(?:am?|ariam?)|consigo|imagino|penso|queria|quero|espero|pedindo|peco)"
)
_AMOUNT = r"(?!(?:19|20)[0-9]{2}\b)[0-9][0-9.,]*k?\b(?! ?(?:mil )?(?:km|rodad))"
_NUMBER = rf"(?:{_AMOUNT}|quanto|que valor|a fipe|a tabela)\b"
_OF_MINE = re.compile(
    rf"\b{_GIVES}\b.{{0,25}}\b{_NUMBER}.{{0,20}}\b{_MINE}|"
    rf"\b{_MINE}.{{0,30}}\b{_GIVES}\b.{{0,20}}\b{_NUMBER}|"
    rf"\b{_NUMBER}.{{0,25}}\b{_GIVES}\b.{{0,25}}\b{_MINE}|"
    rf"\b{_MINE}.{{0,40}}\b(?:por|uns|umas|quanto) ?{_NUMBER}"
)
_OF_IT = re.compile(
    rf"\b{_GIVES}\b.{{0,25}}\b{_NUMBER}.{{0,20}}\b{_IT}|"
    rf"\b{_GIVES}\b.{{0,15}}\b{_IT}.{{0,20}}\b{_NUMBER}|"
    rf"\b{_NUMBER}.{{0,25}}\b{_GIVES}\b.{{0,20}}\b{_IT}|"
    rf"\bfipe (?:del[ea]|diz|fala)?(?: esta| e| da)? ?(?:n[ao]s? |uns |em )?{_NUMBER}|"
    rf"\b(?:val(?:e|er)|pag(?:am|ariam)|dao) (?:uns|umas|quanto|por volta de|mais de) ?[0-9]*"
)
_LIMIT = re.compile(r"\b(?:ate|maximo|limite|abaixo|menos de|teto)\b")


def worth_of_his(flat: str) -> bool:
    """`pagam uns 60 no meu?`: his own car is named."""
    return bool(_OF_MINE.search(flat))


def worth_of_it(flat: str) -> bool:
    """`acha que dão uns 60 nele?`: of his own car where that is what is spoken of."""
    return bool(_OF_IT.search(flat)) or worth_of_his(flat)


def without_worth(filters: Filters, flat: str) -> Filters:
    """The wish without the price that he expects; `até 80 mil` beside it stays."""
    if not worth_of_his(flat) or _LIMIT.search(flat):
        return filters
    return filters.model_copy(update={"price_min": None, "price_max": None})

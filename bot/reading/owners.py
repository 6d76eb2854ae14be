"""Says by the words around a name whose car it is. Called by `reading.names`."""

from __future__ import annotations

import re

_OWN = re.compile(
    r"\b(?:(?:meu|minha)(?: \w+)? (?:atual|usad[oa])(?: e)?(?: um| uma)?|meu|minha|meus|"
    r"tenho(?: aqui)?(?: um| uma)|possuo(?: um| uma)?|dou (?:um|uma|o|a) ?|"
    r"(?:um|uma|o|a) meu|(?:dao|pagam|avaliam|pagariam) (?:num|numa|no|na|em um|em uma|pelo|pela)|"
    r"(?:pegam|aceitam) (?:um|uma))"
    r"(?: carro| carrinho| veiculo)?(?: e um| e uma)?$"
)
_KIN = (
    r"(?:esposa|esposo|mulher|marido|mae|pai|filh[oa]|irma|irmao|sogr[oa]|namorad[oa]|av[oa]|"
    r"ti[oa])"
)
_KIN_HAS = re.compile(
    rf"\b(?:meu|minha) {_KIN} (?:tem|possui|usa|anda (?:de|com|num|numa))(?: hoje)?(?: um| uma|"
    rf" o| a)?$"
)
_OF_KIN = re.compile(rf"(?:(?:19|20)[0-9]{{2}} )?d[oa] (?:meu|minha) {_KIN}\b")
_FORMER = re.compile(
    r"\b(?:(?<!voces )(?:tive|vendi|bati|larguei|comprei|troquei)|eu (?:ja )?tinha|ja tive|"
    r"(?:eu (?:andava|rodava)|andei) (?:de|com|num|numa)|(?:sai|vim|venho|desfiz|desfazi) d[eo]|"
    r"(?:meu|minha) (?:antig[oa]|ultim[oa]|anterior|primeir[oa])(?: carro)?(?: (?:era|foi))?|"
    r"(?:meu|minha) carro (?:antigo |anterior |velho )?(?:era|foi)|"
    r"roubaram|levaram)(?: (?:ja|um|uma|o|a|meu|minha|de|dois|duas))*$"
)
"""A car that he had: neither a wish nor one to trade in."""


def is_his(before: str) -> bool:
    """`tenho um`, `dou meu`: the buyer's own."""
    return bool(_OWN.search(before))


def is_of_kin(before: str, after: str) -> bool:
    """`minha esposa tem um Ka`, `o Sandero da minha mãe`: as good as his own."""
    return bool(_KIN_HAS.search(before) or _OF_KIN.match(after))


def was_his(before: str) -> bool:
    """`vendi meu`, `tive um`: he has it no more."""
    return bool(_FORMER.search(before))

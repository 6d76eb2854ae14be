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
    r"\b(?:(?<!voces )(?:tive|vendi|bati|larguei|comprei|troquei)|"
    r"(?<!quem )(?<!que )(?:comprou|compraram)|eu (?:ja )?tinha|ja tive|"
    r"(?:eu (?:andava|rodava)|andei) (?:de|com|num|numa)|(?:sai|vim|venho|desfiz|desfazi) d[eo]|"
    r"(?:meu|minha) (?:antig[oa]|ultim[oa]|anterior|primeir[oa])(?: carro)?(?: (?:era|foi))?|"
    r"(?:meu|minha) carro (?:antigo |anterior |velho )?(?:era|foi)|"
    r"roubaram|levaram)(?: (?:ja|um|uma|o|a|meu|minha|de|dois|duas))*$"
)
"""A car that he had: neither a wish nor one to trade in."""


def is_his(before: str) -> bool:
    """`tenho um`, `dou meu`: the buyer's own."""
    return bool(_OWN.search(before))


_TAKEN_BY_US = re.compile(
    r"\b(?:aceit(?:a|am|aria|ariam)|peg(?:a|am|aria|ariam)|receb(?:e|em|eria|eriam)|"
    r"avali(?:a|am|aria|ariam))(?: (?:voces?|ai|tambem|ate))? (?:um|uma)$|"
    r"\b(?:estou|vou|iria) (?:aqui )?com uma?$|"
    r"\b(?:dar|der|dando|desse|daria|botar|colocar|entrar com|entrando com)(?: meu carro)? "
    r"(?:um|uma)$|"
    r"\bmeu (?:carro|carrinho|possante|xodo|veiculo|auto)(?: (?:hoje|atual|agora|mesmo|ai))* "
    r"(?:e|seria|era)(?: um| uma| o| a)?$|"
    r"\b(?:carro|veiculo|usado) que (?:eu )?(?:tenho|uso|(?:ia|iria|vou|quero|queria|pretendo|"
    r"posso) dar|daria|dou|entraria)(?: (?:de|como|na|pra|no|em|entrada|troca|negocio|hoje|aqui))* "
    r"(?:e|seria)(?: um| uma| o| a)?$"
)
"""A car that we would take: `aceita uma Ranger`, `se eu der um Gol`."""
_IN_EXCHANGE = re.compile(
    r"(?:(?:ano )?(?:(?:19|20)?[0-9]{2}) |(?!com\b|por\b|e\b|mais\b|dando\b)[a-z]+ ){0,2}?"
    r"(?:que (?:e )?(?:eu )?(?:tenho|ja tenho|(?:quero|queria|ia|iria|vou|pretendo|penso em|"
    r"pensei em) (?:dar|colocar|botar|trocar|entrar)|daria|uso|ando)\b|que e meu\b|"
    r"(?:(?:na|de|como|em) (?:troca|entrada)|no (?:negocio|rolo)|como parte|pra (?:dar|trocar|"
    r"entrar)(?! uma? (?:olh|volt|voltinh|confer))|(?:mais|e) (?:uns )?[0-9]+ ?(?:mil|k)?"
    r" (?:em dinheiro|de volta|a vista|na mao|no pix|de troco|em cima))\b"
    r"(?! (?:d[oa]|pel[oa]|por|com|no|em)?(?: um| uma| o)? ?(?:meu|minha)\b)(?! (?:de )?[0-9]))"
)
"""Said after it: `um Sandero 2013 que eu queria dar`, `HB20 2014 na troca do Yaris`."""
_IN_MIND = re.compile(r"(?:\w+ ){0,2}(?:em (?:mente|vista)|na (?:cabeca|mira))\b")
_WISHED = re.compile(
    r"(?<!ele )(?<!ela )\b(?:tem|temos|quero|queria|procuro|busco)(?: um| uma| o| a)?$"
)


_TOLD = re.compile(
    r"\bmeu (?:carro|carrinho|possante|usado|veiculo)"
    r"(?: (?!ideia|sonho|quero|interesse|procuro|plano|minha|quebr|morreu|deu|foi)\w+){0,6}"
    r" (?:e|era|seria)(?: um| uma| o| a)?$"
)
"""`meu carro pra avaliar também, é um Fox 2014`: also beyond a comma."""


def is_told(before: str) -> bool:
    """The words before, breaks included, say that his car is what is named."""
    return bool(_TOLD.search(before))


def is_exchanged(before: str, after: str) -> bool:
    """The buyer would give it in exchange, whether or not he says `meu`."""
    if _IN_MIND.match(after) or _WISHED.search(before):
        return False
    return bool(_TAKEN_BY_US.search(before) or _IN_EXCHANGE.match(after))


def is_of_kin(before: str, after: str) -> bool:
    """`minha esposa tem um Ka`, `o Sandero da minha mãe`: as good as his own."""
    return bool(_KIN_HAS.search(before) or _OF_KIN.match(after))


def was_his(before: str) -> bool:
    """`vendi meu`, `tive um`: he has it no more."""
    return bool(_FORMER.search(before))

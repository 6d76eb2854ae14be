"""Says whether a named thing is wanted, unwanted or does not matter. Called by `reader`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from bot.reading.text import Text

LOOK_BACK = 12
"""How many words before a name its negation may stand."""


class Verdict(StrEnum):
    """How the buyer stands to what he names."""

    WANTED = "wanted"
    UNWANTED = "unwanted"
    FREE = "free"
    """It does not matter to him: nothing is stated."""


_LINK = (
    r"(?: (?:de|da|do|das|dos|o|a|os|as|um|uma|cor|ser|seja|sejam|carro|carros|marca|e|nem|ou|"
    r"todos|todas|qualquer|opcao|opcoes|os|as|ai|motor|na|no|cambio|transmissao|modelo|tipo|nenhum|nenhuma|algo|nada))*"
)
_NO = re.compile(
    r"(?:\b(?:menos|no lugar|em vez|ao inves|"
    r"exceto|tirando|fora|sem ser|sem|nem|evito|evitar|odeio|detesto|nada|salvo|"
    r"tir[ae]|tirar|cort[ae]|cortar|descart\w+|pul[ae]|pular|elimin\w+|exclu\w+|remov\w+|retir\w+|"
    r"risc[ae]|dispens\w+|esquec[ae]|esquecer|ignor[ae]|passo longe)|"
    r"\bnao (?:me |precisa |vem |venha |venham )?(?:mostr\w+|mand\w+|traz\w*|ofere\w+|inclu\w+|"
    r"ven(?:ha|ham|hao)|vem|fal\w+|empurr\w+|apresent\w+|coloc\w+|bot\w+|suger\w+|indi\w+)"
    r"(?: (?:mais|me|com|em|pra mim))*|"
    r"\b(?:pra|pare|parem|chega) de (?:me )?(?:mostr\w+|mand\w+|ofere\w+)|"
    r"\bnao (?:quero mais|quero|queria|gosto|gostei|curti|curto|seja|sejam|pode ser|podem ser|"
    r"sendo|serve|"
    r"precisa d[eoa]|"
    r"sou fa)|"
    r"\bnao)" + _LINK + "$"
)
_FREE = re.compile(
    r"\b(?:nao precisa(?: mais)?(?: nem)?(?: que)?|tanto faz(?: se)?|nao importa(?: se)?|"
    r"nao faco (?:mais )?"
    r"questao(?: de)?|nao ligo(?: mais)?(?: pra)?|"
    r"independente(?: d[eo])?(?: ser)?|nao necessariamente|pode ser (?:ou nao))"
    r"(?: (?:ser|seja|que|e|ou|o|a|de|um))*$"
)
_ASKS_BEFORE = re.compile(
    r"\b(?:tem|temos|tens|teria|tinha|faz|fazem|faria|da|deixa|sai|aceita|aceitam|vende|vendem|rola|"
    r"consegue|conseguem|pega|pegam|tira|tiram|trabalha|trabalham|serve|fecha|fecham)\b"
)
_NO_AFTER = re.compile(r"nao\b(?! (?:tem|tinha|teria|e|esta|tiver|sei|mais))")
_NO_WAY = re.compile(
    r"(?:nem (?:pensar|a pau|de graca|morto|me fala)|deus me livre|de jeito nenhum|fora\b|"
    r"(?:esta|estou|to) fora\b|(?:eu )?(?:passo longe|dispenso)|"
    r"pode (?:tirar|cortar|descartar|pular|excluir|esquecer)\b)"
)
"""Said after a name, also after a comma: `Fiat, nem pensar`."""


def verdict(text: Text, start: int, end: int, kinds: Mapping[int, str]) -> Verdict:
    """Of the thing at tokens[start:end], by the words around it.

    `kinds`: what each named token is (color, brand, ...), so that a list of them counts as one.
    """
    before = _clause(text, start, kinds)
    if _FREE.search(before):
        return Verdict.FREE
    if _NO.search(before) and not _more_of_something(before):
        return Verdict.UNWANTED
    if _NO_AFTER.match(text.after(end, 3)) and not _of_what_follows(text, end, before, kinds):
        return Verdict.UNWANTED
    following = " ".join(token.text for token in text.tokens[end : end + 4])
    return Verdict.UNWANTED if _NO_WAY.match(following) else Verdict.WANTED


def _of_what_follows(text: Text, end: int, before: str, kinds: Mapping[int, str]) -> bool:
    """`tem Gol não?` only asks; in `1.6 não 1.0` the no is of the second, unless one follows it."""
    after = text.after(end, 4).split()
    if len(after) == 1:
        return bool(_ASKS_BEFORE.search(before))
    kind = kinds.get(end - 1)
    like = kinds.get(end + 1) == kind if kind else bool(_ENGINE.fullmatch(after[1]))
    return like and after[2:3] != ["nao"]


_ENGINE = re.compile(r"[0-9][.,][0-9]")


def _more_of_something(before: str) -> bool:
    """mais ou menos, pelo menos, nao tem: no negation of what follows."""
    return bool(re.search(r"\b(?:mais ou|pelo|ao) menos\b[^|]*$|\bsem duvida\b", before))


def _clause(text: Text, start: int, kinds: Mapping[int, str]) -> str:
    """The words before, where a list of like things counts as one (menos branco e prata)."""
    kind = kinds.get(start)
    words: list[str] = []
    broke = text.tokens[start].breaks
    for index in range(start - 1, max(start - LOOK_BACK, -1), -1):
        same = kind is not None and kinds.get(index) == kind
        if broke and not same:
            break
        if not same:
            words.append(text.tokens[index].text)
        broke = text.tokens[index].breaks
    return " ".join(reversed(words))

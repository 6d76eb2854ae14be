"""Says what a buyer is after. Called by `reading.reader`.

Several can be found in one turn; the order of `Intent` says which one counts.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bot.filters import Filters
from bot.reading.amounts import Amounts
from bot.reading.criteria import (
    PRICE_OR_THERE,
    are_criteria,
    asks_for_any,
    asks_for_it_with,
    wishes,
)
from bot.reading.data import any_of, load
from bot.reading.kept import is_kept
from bot.reading.silence import still_wishes
from bot.reading.text import Text


class Intent(StrEnum):
    """What a turn is after; of several, the first in this order counts."""

    OFF_TOPIC = "off_topic"
    OPT_OUT = "opt_out"
    HUMAN = "human"
    COMPLAINT = "complaint"
    CANCEL_SCHEDULE = "cancel_schedule"
    RESCHEDULE = "reschedule"
    SCHEDULE = "schedule"
    BUY = "buy"
    SELL_CAR = "sell_car"
    TRADE_IN = "trade_in"
    NEGOTIATE = "negotiate"
    FINANCING = "financing"
    PHOTOS = "photos"
    DETAILS = "details"
    SEARCH = "search"
    LOCATION = "location"
    HOURS = "hours"
    BYE = "bye"
    THANKS = "thanks"
    GREETING = "greeting"
    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


_DATA = load("intents")
_DAY: str = _DATA.pop("day")
_WITH_WHEN = {
    "reschedule": any_of(way.replace("{day}", _DAY) for way in _DATA.pop("reschedule_when")),
    "schedule": any_of(way.replace("{day}", _DAY) for way in _DATA.pop("schedule_when")),
}


def _compiled() -> tuple[tuple[Intent, re.Pattern[str]], ...]:
    return tuple(
        (Intent(name), any_of(way.replace("{day}", _DAY) for way in ways))
        for name, ways in _DATA.items()
    )


_PATTERNS = _compiled()


def find_intents(
    text: Text,
    filters: Filters,
    topics: tuple[str, ...],
    amounts: Amounts,
    *,
    own: bool,
    when: bool,
    freed: bool = False,
) -> tuple[Intent, ...]:
    """All intents of a text, the one that counts first.

    `when`: a day or a time is said; `freed`: something no longer matters.
    """
    found = {intent for intent, pattern in _PATTERNS if pattern.search(text.flat)}
    if when:
        found |= {Intent(name) for name, ways in _WITH_WHEN.items() if ways.search(text.flat)}
    _add_by_meaning(found, text, filters, topics, amounts, own)
    if freed:
        found.add(Intent.SEARCH)
    if Intent.CANCEL_SCHEDULE in found and is_kept(text.flat):
        found.discard(Intent.CANCEL_SCHEDULE)
    if Intent.OPT_OUT in found and still_wishes(text, filters):
        found.discard(Intent.OPT_OUT)
    _drop_shadowed(found, text, filters)
    if Intent.NEGOTIATE in found and not amounts.offers:
        found = _without_bargain(found, text, filters)
    ranked = sorted(found, key=_RANK.__getitem__)
    if Intent.SEARCH in found and _search_first(ranked[0], text, filters, amounts, own):
        ranked.remove(Intent.SEARCH)
        ranked.insert(0, Intent.SEARCH)
    return tuple(ranked) or (Intent.UNCLEAR,)


# `muito caro, tem outro mais em conta?` asks for cars, not for a better price of this one.
_FOR_CHEAPER = re.compile(
    r"^(?!.*(?:desconto|faz por|negoci|proposta|a vista)).*\b(?:tem|teria|queria|quero|procuro|ver|"
    r"mostra|outr[oa]s?|alg[ou]\w*)\b(?: \w+){0,3} mais (?:barat\w+|em conta|acessive\w+)"
)
_IN_ORDER = re.compile(
    r"\b(?:d[oa]|pel[oa]) (?:mais|menos|menor|maior)(?: \w+)? pr[ao] (?:o |a )?(?:mais|menos|"
    r"menor|maior)\b|"
    r"\bordem\b"
)
"""`do mais caro pro mais barato` is an order of cars."""

_RANK = {intent: rank for rank, intent in enumerate(Intent)}


_THE_REST = re.compile(r"\b(?:o )?(?:rest(?:o|ante)|saldo|que faltar)\b|\bquanto (?:fica|sai|da)\b")


def _add_by_meaning(
    found: set[Intent],
    text: Text,
    filters: Filters,
    topics: tuple[str, ...],
    amounts: Amounts,
    own: bool,
) -> None:
    names = bool(filters.model)
    if amounts.offers:
        found.add(Intent.NEGOTIATE)
        found.discard(Intent.HOURS)  # `fecha 80 na Toro?`
    monthly = amounts.instalments and "garantia" not in topics
    down = amounts.down_payment is not None
    if monthly or (down and (names or amounts.months or _THE_REST.search(text.flat))):
        found.add(Intent.FINANCING)
    if own and not found & {Intent.SELL_CAR, Intent.TRADE_IN}:
        found.add(Intent.TRADE_IN)
    priced = bool(PRICE_OR_THERE.search(text.flat))
    if (
        topics
        and not are_criteria(text, filters, topics)
        and not (priced and (not names or topics == ("cabine",)))
    ):
        found.add(Intent.DETAILS)
    if priced or not filters.empty() or filters.sort or asks_for_any(text):
        found.add(Intent.SEARCH)


def _drop_shadowed(found: set[Intent], text: Text, filters: Filters) -> None:
    """Takes out what only looks like an intent because of another one."""
    serious = found & {Intent.OPT_OUT, Intent.HUMAN, Intent.COMPLAINT} or not filters.empty()
    if Intent.OFF_TOPIC in found and serious and _only_small_talk(text):
        found.discard(Intent.OFF_TOPIC)
    if found & {Intent.CANCEL_SCHEDULE, Intent.RESCHEDULE}:
        if re.search(
            r"\bremarc|\breagend|\bpode ser\b|\bda pra ser\b|\boutro (?:dia|horario)", text.flat
        ):
            found.discard(Intent.CANCEL_SCHEDULE)
        found.discard(Intent.TRADE_IN)
        found.discard(Intent.HOURS)
    _drop_denied(found, text)
    if Intent.SELL_CAR in found:
        found.discard(Intent.TRADE_IN)
    if Intent.TRADE_IN in found and Intent.SCHEDULE in found and not re.search(_DAY, text.flat):
        found.discard(Intent.SCHEDULE)
    if found - {Intent.GREETING, Intent.THANKS, Intent.BYE, Intent.YES, Intent.NO}:
        found -= {Intent.YES, Intent.NO}
    if found & {Intent.THANKS, Intent.GREETING, Intent.BYE}:
        found -= {Intent.YES}


_BARGAINS = re.compile(
    r"\b(?:desconto\w*|negoci\w+|proposta|faz|fazem|fecha\w*|melhor\w*|menor|minimo|ultimo|abat\w+|"
    r"baix\w+|abaix\w+|tira\w*|vista|pix|dinheiro|chor\w+|deixa\w*|cheg\w+|consegue\w*|condic\w+|"
    r"concorr\w+|outr[oa] (?:loja|lugar)|acima|fora)\b"
)


def _drop_denied(found: set[Intent], text: Text) -> None:
    """What is named only to say no to it, or of which only a word is used."""
    if _NO_PERSON.search(text.flat):
        found.discard(Intent.HUMAN)
    if _NO_FINANCING.search(text.flat):
        found.discard(Intent.FINANCING)
    if not _OF_THE_STORE.search(text.flat):
        found.discard(Intent.HOURS)
    moves = found & {Intent.RESCHEDULE, Intent.CANCEL_SCHEDULE}
    later = _SAYS_LATER.search(text.flat) or _SEES_ELSE.search(text.flat)
    if later or (not moves and _NO_VISIT.search(text.flat)):
        found.discard(Intent.SCHEDULE)


def _without_bargain(found: set[Intent], text: Text, filters: Filters) -> set[Intent]:
    if filters.price_max is not None and not _BARGAINS.search(text.flat):
        return found - {Intent.NEGOTIATE} | {Intent.SEARCH}  # `muito caro, até 80 mil?`
    if _FOR_CHEAPER.search(text.flat) or _IN_ORDER.search(text.flat):
        return found - {Intent.NEGOTIATE} | {Intent.SEARCH}
    return found - {Intent.NEGOTIATE} if _NOT_DEAR.search(text.flat) else found


# `não achei caro`, `já comprei em outro lugar`: nobody bargains.
_NOT_DEAR = re.compile(
    r"\bnao (?:achei|acho|e|esta|ficou) (?:nada |tao |muito )?car[oa]\b|"
    r"\bja (?:comprei|fechei|peguei|arrumei|achei|resolvi)\b"
)
_PART_OF_A_CAR = (
    r"\b(?:porta|portas|teto|vidro|vidros|capo|tampa|cacamba|mala|malas|banco|janela)\b"
)
_OF_THE_STORE = re.compile(rf"^(?!.*{_PART_OF_A_CAR})|\b(?:loja|voces|horario|que horas?)\b")
_NO_PERSON = re.compile(
    r"\bnao (?:precisa\w*|quero|queria|e pra)(?: \w+){0,2} (?:lig\w+|telefon\w+|falar com (?:o |um "
    r")?vendedor)"
)


_SAYS_LATER = re.compile(
    r"^(?!.*\b(?:[0-9]+ ?h|as [0-9])).*\b(?:vou|vamos|deixa eu|preciso|tenho que) (?:\w+ )?"
    r"(?:ver|conversar|falar|pensar|combinar)\b.{0,40}"
    r"\b(?:falo|aviso|respondo|retorno|digo|chamo|decido|confirmo|resposta)\b"
)
"""`vou ver com minha esposa e amanhã te falo`: he does not come then, he writes."""
_SEES_ELSE = re.compile(
    r"^(?!.*\b(?:[0-9]+ ?h|as [0-9]|visit|test|marc|agend)).*(?:\b(?:ver|olhar)\b.{0,15}\b(?:isso|"
    r"como (?:fica|faz|vai)|preco|valor|taxas?|financiamento|parcelas?|proposta)\b|"
    r"\b(?:vou|vamos|passo|passar) no banco\b|\bvoces? (?:vao|vai|vem)\b)"
)
"""`vou no banco ver isso amanhã`, `vocês vão aí amanhã?`: nobody comes to see a car."""
_NO_VISIT = re.compile(
    r"\bnao (?:quero|queria|pretendo|preciso) (?:nem )?(?:visitar|ir|marcar|agendar|passar|"
    r"test\w+)\b(?!.*\b(?:mas|so|e sim|quero|pode ser)\b.*\b(?:amanha|segunda|terca|quarta|"
    r"quinta|sexta|sabado|domingo|dia [0-9]+)\b)"
)
_NO_FINANCING = re.compile(
    r"\b(?:esquec\w+|deix\w+|desist\w+|nao quero)(?: (?:pra la|de lado|o|d[oe]|esse|mais|"
    r"ess[ea]))* "
    r"(?:financ\w+|parcel\w+)"
)


def _only_small_talk(text: Text) -> bool:
    return not re.search(
        r"\bprompt\b|instruc|\bsystem\b|regras|cliente|\bpiada\b|comprador|\bcpf\b|\bfinj\w+|"
        r"\bquem (?:\w+ ){0,2}(?:comprou|levou|don[oa]s?|proprietari\w+|reservou|vai ver|marcou|"
        r"agendou)\b|\bd[eoa] quem\b|"
        r"\b(?:telefone|whatsapp|endereco|dados|nome|contato) d[oa] (?:dono|proprietari|pessoa|"
        r"rapaz|moca|cara)|\b(?:mora|vive|trabalha) (?:onde|aonde)\b|\b(?:onde|aonde) (?:mora|"
        r"vive)\b|"
        r"\b(?:ex|antig[oa]|ultim[oa]) don[oa]\b|\bmais gente\b|\boutra pessoa\b|\bmais alguem\b|"
        r"\bque (?:horas?|dia)(?: \w+)? [oa] [a-z]+ (?:vai|vem|marcou|agendou)\b",
        text.flat,
    )


def _search_first(first: Intent, text: Text, filters: Filters, amounts: Amounts, own: bool) -> bool:
    """Cars asked for by criteria, with a general question tacked on, is a search."""
    if first is Intent.FINANCING and filters.model and _FINANCES.search(text.flat):
        return False
    if first in (Intent.FINANCING, Intent.TRADE_IN):
        his = first is Intent.TRADE_IN and filters.model and _HIS_CAR.search(text.flat)
        general = not own and not amounts.instalments and not his
        down_only = first is Intent.FINANCING and amounts.down_payment is not None
        asks_for_it = bool(filters.model) and bool(_IS_THERE.search(text.flat))
        criteria = not filters.only_names() and wishes(text)
        return (general or down_only) and (criteria or asks_for_it)
    if first is Intent.DETAILS and filters.model:
        return asks_for_it_with(text, filters)
    return first is Intent.DETAILS and not filters.only_names()


_HIS_CAR = re.compile(r"\b(?:aceita\w*|peg\w+|avali\w+|receb\w+|troc\w+)(?: \w+)? (?:meu|minha)\b")
_FINANCES = re.compile(
    r"\b(?:financiar|parcelar|simular|dividir)\b|\b(?:parcelas?|prestac\w+|entrada|"
    r"financiamento) d\w+\b"
)
_IS_THERE = re.compile(
    r"\b(?:tem|ainda|disponivel|valor|preco|anuncio)\b|\bquanto (?:custa|e|esta|ta)\b"
)

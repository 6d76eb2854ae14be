"""Tells a wish for cars from a question about one, by its words. Called by `reading.intents`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.reading.text import Text, fold

_WISH = re.compile(
    r"\b(?:tem|temos|teria|tinha|quero|queria|procur\w+|busc(?:o|ando)|precis\w+|algum|alguma|"
    r"alguns|algumas|interess\w+|me mostra|mostra|qual|quais|vi (?:um|uma|o|a)|"
    r"serve|qualquer|disponive\w+|estoque|vendem|trabalham|opcoes|opcao|cade|atras de|gostei)\b"
)
PRICE_OR_THERE = re.compile(
    r"\b(?:quanto\b(?! (?:ele |ela |o carro |esse |essa )?"
    r"(?:gasta|consome|anda|faz|roda|tempo|(?:esta )?rodad|esta de km))|preco|valor|custa|"
    r"disponivel|ainda "
    r"(?:tem|esta)|esta ai|tem ainda|anuncio|vendeu|vendido|reservad\w+)"
)
_STOCK = re.compile(
    r"^(?:um|uma|algum|alguma|alguns) que\b|"
    r"^(?:os |ver )?(?:carros?|seminovos?|usados|catalogo|lista|modelos)$|"
    r"\btem (?:alguma? )?(?:ofertas?|promoc\w+)\b|\bmelhor(?:es)? (?:opcao|opcoes|carro|escolha)\b|"
    r"\bajud\w+ (?:me )?a escolher\b|^(?:e )?pra (?:minha|meu|uso|trabalh\w+|mim|familia|"
    r"viag\w+|uber|"
    r"aplicativo)\b|^uso (?:na|no|pra)\b|"
    r"\bver (?:os |uns |um |algum |alguns )?carros?\b|\btem (?:algo|alguma coisa|coisa)\b|"
    r"\b(?:algo|algum|alguma coisa|um|uma) (?:tipo|parecid[oa]|"
    r"estilo|semelhante|similar)\b|"
    r"\b(?:manda|envia|passa|ver|tem)(?: me)? (?:a|o|sua|seu|uma|um)? ?(?:lista|catalogo|relacao|"
    r"tabela|portfolio)\b|\b(?:recomend\w+|indic(?:a|am|aria)|suger\w+)\b|\b(?:quero|queria|procuro|"
    r"preciso de|busco) (?:algo|alguma coisa|outro|outra)\b|"
    r"\b(?:o que|que|quais?|algo|alguma coisa)(?: (?:carros?|modelos?|opcoes))?(?: (?:que|e))? "
    r"?(?:voces?|a loja)? ?(?:tem|tao|estao|vendem|trabalham)\b|\bestoque\b|\b(?:lista|tabela|"
    r"catalogo) (?:de|dos|d)\b|\bquais carros\b|\bver os carros\b|\bcarros disponiveis\b|\bo que "
    r"tem\b|\btem carro\b|\btem oque\b"
    r"|\b(?:quero|procuro|preciso|busco|comprar|queria|procurando)(?: de)?(?: comprar)? (?:um|uma|"
    r"algum)? ?(?:carro|veiculo|seminovo|usado)\b|\bdando uma olhada\b|\bmais opcoes\b|\btem mais\b"
)
_ANY_CAR = re.compile(
    r"^carros? (?:pra|que|de|a)\b|^(?:um|uma|algum|alguma) que\b|"
    r"\b(?:tem|um|algum|quero|procuro|preciso de|quais) (?:algum |um )?carros?\b(?! e\b)|^carros? "
    r"com\b|\bcarros? (?:a|com|que tem)(?: kit)? (?:gas|gnv)\b"
)


def asks_for_any(text: Text) -> bool:
    """Any car will do: `tem carro até 40?`, `o que vocês têm?`."""
    return bool(_STOCK.search(text.flat) or _ANY_CAR.search(text.flat))


_IS_IT = re.compile(
    r"\be (?:mesmo |todo |ja )?(?:flex|automatic[oa]|manual|auto?|aut|diesel|gasolina|hibrid[oa]|"
    r"eletric[oa]|cvt|automatizad[oa]|(?:ano |modelo )?20[0-2][0-9])\b"
)


_SEATS_WISHED = re.compile(r"^(?!.*\b(?:quant[oa]s?|tem|leva|cabem?|e|vai|sao)\b).*\b[2-9] lugar")
"""`Doblô 7 lugares` is a wish, `a Doblô tem 7 lugares` a question."""
_LEAST = re.compile(
    r"\b(?:o|a|os|as|qual)(?: \w+)? (?:(?:mais|menos) (?:pouco )?rodad\w+|d[eo] menor km|"
    r"com menos km)|"
    r"\bordem\b"
)


_HAVING = re.compile(
    r"\b(?:mais|menos|menor|maior)\b.*\b(?:com|que (?:tenha|tem|venha|vem)(?: com)?|de|"
    r"equipad\w+)\b"
    r"(?!.*\b(?:quantos?|qual o|que cor)\b)"
)
"""Of the best by an order that has something: what it has is a criterion."""


def are_criteria(text: Text, filters: Filters, topics: tuple[str, ...]) -> bool:
    """True when words that could be a question about a car are criteria for a search."""
    if set(topics) <= {"km", "cambio", "combustivel", "ano", "cor"}:
        stated = filters.mileage_max is not None or filters.transmission or filters.fuel
        asks = bool(re.search(r"\b(?:qual|quantos?|que cor|quanto|ou e)\b|^e ", text.flat))
        asks |= bool(filters.model) and bool(_IS_IT.search(text.flat))
        sorted_by_km = filters.sort is not None and "km" in topics
        asks &= not (sorted_by_km and _LEAST.search(text.flat))
        listed = filters.color or filters.exclude.color
        return bool((stated or sorted_by_km or listed) and not asks)
    if topics == ("lugares",) and not text.question and _SEATS_WISHED.search(text.flat):
        return True
    if filters.sort is not None and _HAVING.search(text.flat):
        return True  # `o Corolla mais barato com couro`
    if len(filters.model) > 1 and _WISH.search(text.flat) and " ou " in text.flat:
        return True  # `Doblo ou Spin de 7 lugares`
    any_car = bool(_ANY_CAR.search(text.flat)) or not filters.only_names()
    return not filters.model and any_car and bool(_WISH.search(text.flat) or any_car)


def wishes(text: Text) -> bool:
    """Something is looked for: `quero`, `tem`, `procuro`."""
    return bool(_WISH.search(text.flat))


_ASKS_HOW = re.compile(r"\b(?:quant[oa]s?|qual|quais|que (?:cor|ano|km)|quando|como|e|esta|foi)\b")


def asks_for_it_with(text: Text, filters: Filters) -> bool:
    """`tem Spin? 7 lugares`, `Siena com gás`: a model that is looked for, and what it must have.

    `a Spin tem 7 lugares?` asks about one.
    """
    if len(filters.model) != 1 or _ASKS_HOW.search(text.flat):
        return False
    name = re.escape(fold(filters.model[0].family).split()[-1])
    looked_for = re.search(
        rf"\b(?:tem|teria|vendem?|procuro|busco)(?: \w+){{0,2}} {name}\b", text.flat
    )
    bare = re.match(rf"(?:\w+ )?{name} (?:\w+ )?(?:com|de) ", text.flat)
    return bool(looked_for or bare)

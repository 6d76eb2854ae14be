"""Talks of the price and of buying: the listed price stands, a person closes. Called by `lucas`."""

from __future__ import annotations

import re

from bot.grammar import of_car
from bot.rules.about_car import answer_about, of_target
from bot.rules.alternatives import cheaper_than
from bot.rules.talk import Answer, Talk
from bot.state import Pending
from bot.wording import joined, name, price

_TOO_DEAR = re.compile(r"\bcar[oa]\b|\bsalgad[oa]\b|\bpuxad[oa]\b")


def negotiate(talk: Talk) -> Answer:
    """The listed price stands; an offer goes to a seller."""
    item = talk.target
    listed = f" O preço anunciado {of_car(item)} é {price(item)}." if item else ""
    if talk.reading.offers:
        body = talk.say(
            f"Entendi! Vou levar sua proposta a um vendedor, que te responde por aqui.{listed}",
            f"Sua proposta eu passo para o vendedor avaliar, tá bom?{listed}",
        )
        deal = talk.state.deal.model_copy(update={"offer": talk.reading.offers[-1]})
        return answer_about(
            talk, "negotiate.offer", body, handoff="offer", negotiating=True, priced=True, deal=deal
        )
    body = talk.say(
        f"Entendo!{listed} Condições e descontos quem avalia é o vendedor; quer que eu chame?",
        f"Desconto eu não consigo dar por aqui: isso é com o vendedor.{listed} Posso chamar?",
        f"Quem vê condição especial é o vendedor.{listed} Quer que eu peça para ele falar com "
        f"você?",
    )
    return answer_about(
        talk, "negotiate.general", body + _cheaper(talk), negotiating=True,
        pending=Pending.PERSON, priced=True,
    )  # fmt: skip


def _cheaper(talk: Talk) -> str:
    """Who finds it dear hears of a car of the same kind that costs less, by name only."""
    if talk.target is None or not _TOO_DEAR.search(talk.reading.text.flat):
        return ""
    found = cheaper_than(talk.target, talk.stock)
    if not found:
        return ""
    return f" Mais em conta, do mesmo tipo, também temos {joined([name(item) for item in found])}."


def buy(talk: Talk) -> Answer:
    """A sale is closed by a person."""
    body = talk.say(
        f"Ótima escolha! Vou chamar um vendedor para cuidar dos próximos passos{of_target(talk)} "
        f"com você.",
        "Que bom! Um vendedor vai falar com você por aqui para acertar os detalhes.",
    )
    return answer_about(talk, "buy.person", body, handoff="buy", negotiating=True)

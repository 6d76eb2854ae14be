"""Talks of the price and of buying: the listed price stands, a person closes. Called by `lucas`."""

from __future__ import annotations

import re

from bot.grammar import of_car
from bot.rules.about_car import answer_about, of_target
from bot.rules.alternatives import cheaper_than
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending
from bot.stock import Listing
from bot.wording import bullets, price

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
    if item is not None and _TOO_DEAR.search(talk.reading.text.flat):
        return _dear(talk, item)
    body = talk.say(
        f"Entendo!{listed} Condições e descontos quem avalia é o vendedor; quer que eu chame?",
        f"Desconto eu não consigo dar por aqui: isso é com o vendedor.{listed} Posso chamar?",
        f"Quem vê condição especial é o vendedor.{listed} Quer que eu peça para ele falar com "
        f"você?",
    )
    return answer_about(
        talk, "negotiate.general", body, negotiating=True, pending=Pending.PERSON, priced=True
    )


def _dear(talk: Talk, item: Listing) -> Answer:
    """Who finds it dear is offered cheaper ones of the same kind, where there are any."""
    listed = f"O preço anunciado {of_car(item)} é {price(item)}"
    if not cheaper_than(item, talk.stock):
        body = talk.say(
            f"Entendo! {listed}; condição especial quem vê é o vendedor. Quer que eu chame?",
            f"Sei como é. {listed}. Posso chamar o vendedor para ver o que dá pra fazer?",
        )
        pending = Pending.PERSON
    else:
        body = talk.say(
            f"Entendo! {listed}. Quer ver opções mais em conta do mesmo tipo? Condição especial é "
            f"com o vendedor.",
            f"Sei como é. {listed}, e quem negocia é o vendedor. Posso te mostrar carros mais em "
            f"conta do mesmo tipo?",
        )
        pending = Pending.CHEAPER
    return answer_about(
        talk, "negotiate.dear", body, negotiating=True, pending=pending, priced=True
    )


def show_cheaper(talk: Talk, item: Listing) -> Answer:
    """A yes to the offer of cheaper ones: the nearest below, the cheapest first."""
    found = sorted(cheaper_than(item, talk.stock), key=lambda other: other.car.preco)
    intro = talk.say("Olha estes, mais em conta:", "Do mesmo tipo e mais em conta tenho:")
    body = f"{intro}\n\n{bullets(found)}\n\nAlgum desses te agrada?"
    return Answer(
        rule="search.cheaper_than",
        bubbles=(text(body, found),),
        considered=tuple(other.car.id for other in found),
        offered=tuple(other.car.id for other in found),
        focus=-1,
        aside=(intro,),
    )


def buy(talk: Talk) -> Answer:
    """A sale is closed by a person."""
    body = talk.say(
        f"Ótima escolha! Vou chamar um vendedor para cuidar dos próximos passos{of_target(talk)} "
        f"com você.",
        "Que bom! Um vendedor vai falar com você por aqui para acertar os detalhes.",
    )
    return answer_about(talk, "buy.person", body, handoff="buy", negotiating=True)

"""Money matters and visits: says what is true and calls a person in. Called by `lucas`.

Promises nothing: no discount, rate, instalment, approval, trade-in value or time of a visit.
"""

from __future__ import annotations

import re

from bot.reading.intents import Intent
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending
from bot.values import Fact
from bot.wording import fact, name, price

_SIMULATION = re.compile(r"\bsimul\w+|\bparcela\b|\bquanto (?:fica|sai)\b|\bprestac\w+")


def _about(talk: Talk) -> str:
    return f" do {name(talk.target)}" if talk.target else ""


def _answer(
    talk: Talk,
    rule: str,
    body: str,
    *,
    handoff: str | None = None,
    negotiating: bool = False,
    pending: Pending | None = None,
    priced: bool = False,
) -> Answer:
    facts: tuple[Fact, ...] = (fact(talk.target, priced=priced),) if talk.target else ()
    bubble = text(body)
    return Answer(
        rule=rule,
        bubbles=(type(bubble)(text=body, facts=facts),),
        considered=(talk.target.car.id,) if talk.target else (),
        focus=talk.target.car.id if talk.target else None,
        handoff=handoff,
        negotiating=negotiating,
        pending=pending,
    )


def financing(talk: Talk) -> Answer:
    """General questions are answered in general; a simulation is a person's work."""
    reading = talk.reading
    concrete = reading.instalments or bool(_SIMULATION.search(reading.text.flat))
    if concrete:
        body = talk.say(
            f"Vou chamar um consultor para fazer a simulação{_about(talk)} com o banco. "
            "As parcelas e a taxa saem da análise de crédito, então prefiro não te passar um "
            "número errado.",
            f"A simulação{_about(talk)} quem faz é o consultor, junto ao banco. Já vou pedir para "
            f"ele te chamar por aqui.",
        )
        return _answer(talk, "financing.simulation", body, handoff="financing", negotiating=True)
    if re.search(r"\bjuros\b|\btaxa\b", reading.text.flat):
        body = talk.say(
            "A taxa depende do banco e da análise de crédito; o consultor informa na simulação. "
            "Quer que eu chame?",
            "Juros variam conforme o banco e o seu perfil. Posso chamar o consultor para simular?",
        )
    elif re.search(r"\bnegativad|\bsuj|\bscore\b|\bserasa\b|\bspc\b|\baprova", reading.text.flat):
        body = talk.say(
            "Isso depende da análise de crédito do banco, não consigo antecipar o resultado. Quer "
            "que um consultor consulte pra você?",
            "Quem decide é o banco, na análise de crédito. Posso pedir para um consultor "
            "verificar?",
        )
    else:
        body = talk.say(
            "O financiamento é sempre sujeito à análise de crédito do banco. Quer que um "
            "consultor faça uma simulação pra você?",
            "Sobre financiamento, as condições saem da análise do banco. Posso chamar um "
            "consultor para simular?",
        )
    return _answer(talk, "financing.general", body, pending=Pending.PERSON)


def trade_in(talk: Talk) -> Answer:
    """A trade-in is appraised at the store; no value is named here."""
    if talk.reading.own_car or talk.state.pending is Pending.OWN_CAR:
        body = talk.say(
            "Anotado! Para a troca, a equipe avalia o seu carro pessoalmente na loja. Vou passar "
            "os dados para um vendedor.",
            "Certo! O valor do seu carro na troca sai da avaliação presencial, feita pela equipe "
            "da loja.",
        )
        return _answer(talk, "trade_in.own_car", body, handoff="trade_in", negotiating=True)
    if re.search(r"\b(?:quanto|valor|pagam|fipe)\b", talk.reading.text.flat):
        body = talk.say(
            "Não consigo dar um valor sem avaliação: ela é feita pessoalmente, na loja.",
            "O valor só sai depois da avaliação presencial pela equipe da loja.",
        )
        return _answer(talk, "trade_in.value", body)
    body = talk.say(
        "A troca depende de avaliação do seu carro pela equipe. Qual é o seu carro (modelo, ano e "
        "km)?",
        "Para ver a troca, me conta qual é o seu carro: modelo, ano e quilometragem. A avaliação "
        "é feita na loja.",
    )
    return _answer(talk, "trade_in.general", body, pending=Pending.OWN_CAR)


def negotiate(talk: Talk) -> Answer:
    """The listed price stands; an offer goes to a seller."""
    listed = (
        f" O preço anunciado do {name(talk.target)} é {price(talk.target)}." if talk.target else ""
    )
    if talk.reading.offers:
        body = talk.say(
            f"Entendi! Vou levar sua proposta a um vendedor, que te responde por aqui.{listed}",
            f"Sua proposta eu passo para o vendedor avaliar, tá bom?{listed}",
        )
        return _answer(
            talk, "negotiate.offer", body, handoff="offer", negotiating=True, priced=True
        )
    body = talk.say(
        f"Entendo!{listed} Condições e descontos quem avalia é o vendedor; quer que eu chame?",
        f"Desconto eu não consigo dar por aqui: isso é com o vendedor.{listed} Posso chamar?",
        f"Quem vê condição especial é o vendedor.{listed} Quer que eu peça para ele falar com "
        f"você?",
    )
    return _answer(
        talk, "negotiate.general", body, negotiating=True, pending=Pending.PERSON, priced=True
    )


def buy(talk: Talk) -> Answer:
    """A sale is closed by a person."""
    body = talk.say(
        f"Ótima escolha! Vou chamar um vendedor para cuidar dos próximos passos{_about(talk)} com "
        f"você.",
        "Que bom! Um vendedor vai falar com você por aqui para acertar os detalhes.",
    )
    return _answer(talk, "buy.person", body, handoff="buy", negotiating=True)


def sell_car(talk: Talk) -> Answer:
    """Buying or consigning a car is for the store's people to appraise."""
    body = talk.say(
        "Para compra ou consignação, a equipe da loja precisa avaliar o carro pessoalmente. Vou "
        "pedir para um vendedor falar com você.",
        "Quem cuida disso é o pessoal da loja, depois de avaliar o carro. Vou passar seu contato "
        "para um vendedor.",
    )
    return _answer(talk, "sell_car.person", body, handoff="sell_car")


RULES = {
    Intent.FINANCING: financing,
    Intent.TRADE_IN: trade_in,
    Intent.NEGOTIATE: negotiate,
    Intent.BUY: buy,
    Intent.SELL_CAR: sell_car,
}

"""Talks of the buyer's own car: given in exchange, or sold to the dealer. Called by `lucas`.

No value is named: the car is appraised at the store. What the buyer tells of it is kept for the
seller, without plates and documents.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.reading.worth import worth_of_it
from bot.rules.about_car import answer_about
from bot.rules.talk import Answer, Talk
from bot.state import Deal, Draft, Pending

_VALUE = re.compile(
    r"\b(?:quanto|valor|pagam|paga|fipe|vale|dao|diferenca|volto|avali\w+ (?:por|em) quanto)\b"
)
_KM = re.compile(r"\b[0-9.]+ ?(?:mil )?(?:km|rodados?)\b|\b[0-9.]+ mil rodad|\b[0-9]+ ?mil ?km\b")
WORDS_KEPT = 120


def trade_in(talk: Talk) -> Answer:
    """Collects model, year and mileage, then offers to appraise the car at the store."""
    deal = own_car(talk)
    flat = talk.reading.text.flat
    asked_value = bool(_VALUE.search(flat)) or worth_of_it(flat)
    if talk.reading.own_car and not asked_value:
        return _noted(talk, deal)
    if asked_value and (deal.own_car or talk.reading.own_car):
        body = talk.say(
            "Não consigo dar um valor sem avaliação: ela é feita pessoalmente, na loja. Quer "
            "marcar um dia para trazer o carro?",
            "O valor só sai depois da avaliação presencial pela equipe. Que dia você poderia "
            "trazer o carro?",
            "Quem define o valor é a equipe, vendo o carro pessoalmente. Posso agendar a visita?",
        )
        return _invited(answer_about(talk, "trade_in.value", body, negotiating=True, deal=deal))
    if deal.own_car and talk.state.deal.own_car:
        body = talk.say(
            "Aceitamos troca, sim: o seu carro é avaliado pessoalmente na loja e entra como parte "
            "do pagamento.",
            "Sim, dá para fazer a troca, com avaliação do seu carro na loja.",
        )
        return answer_about(talk, "trade_in.known", body, negotiating=True, deal=deal)
    body = talk.say(
        "Aceitamos troca, com avaliação do seu carro pela equipe. Qual é o seu carro (modelo, ano "
        "e km)?",
        "Para ver a troca, me conta qual é o seu carro: modelo, ano e quilometragem. A avaliação "
        "é feita na loja.",
    )
    return answer_about(talk, "trade_in.general", body, pending=Pending.OWN_CAR, deal=deal)


def own_car(talk: Talk) -> Deal:
    """What is known of the buyer's car after this turn, in his own words."""
    deal, said = talk.state.deal, talk.reading.own_car
    if said is None:
        return deal
    words, km = said[:WORDS_KEPT], _KM.search(said)
    if deal.own_car and km and talk.state.pending is Pending.OWN_CAR:
        words = f"{deal.own_car}, {km[0]}"[:WORDS_KEPT]
    return deal.model_copy(update={"own_car": words})


def _noted(talk: Talk, deal: Deal) -> Answer:
    if deal.own_car and not _KM.search(deal.own_car):
        body = talk.say(
            "Anotado! E com quantos km ele está? A avaliação para a troca é feita pessoalmente na "
            "loja.",
            "Certo, anotei. Qual a quilometragem dele? O valor sai na avaliação presencial, na "
            "loja.",
        )
        return answer_about(
            talk, "trade_in.asks_km", body, negotiating=True, pending=Pending.OWN_CAR, deal=deal
        )
    body = talk.say(
        "Anotado! A equipe avalia o seu carro pessoalmente na loja para fechar a troca. Quer "
        "marcar um dia para trazer?",
        "Certo, deixei tudo anotado. O valor na troca sai da avaliação presencial; posso agendar "
        "sua visita?",
    )
    return _invited(answer_about(talk, "trade_in.own_car", body, negotiating=True, deal=deal))


def _invited(answer: Answer) -> Answer:
    """A yes, a day or a time now means a visit."""
    return replace(answer, pending=Pending.DATE, draft=Draft())


def sell_car(talk: Talk) -> Answer:
    """Buying or consigning a car is for the store's people, after an appraisal."""
    deal = own_car(talk)
    if deal != talk.state.deal:
        ask = "" if _KM.search(deal.own_car or "") else " E com quantos km ele está?"
        body = talk.say(
            f"Anotado! Passo ao vendedor, que marca a avaliação com você por aqui.{ask}",
            f"Certo, deixei anotado. O vendedor te responde por aqui sobre a avaliação.{ask}",
        )
        return answer_about(
            talk, "sell_car.noted", body, handoff="sell_car", deal=deal,
            pending=Pending.OWN_CAR if ask else None,
        )  # fmt: skip
    body = talk.say(
        "Para compra ou consignação, a equipe da loja precisa avaliar o carro pessoalmente. Vou "
        "pedir para um vendedor falar com você. Qual é o carro (modelo, ano e km)?",
        "Quem cuida disso é o pessoal da loja, depois de avaliar o carro. Já passo para um "
        "vendedor te responder por aqui. Me diz o modelo, o ano e a km?",
    )
    return answer_about(talk, "sell_car.person", body, handoff="sell_car", pending=Pending.OWN_CAR)

"""Answers a bare yes or no by what Lucas asked or offered last. Called by `rules.courtesy`."""

from __future__ import annotations

from bot.reading.intents import Intent
from bot.rules.coming import coming
from bot.rules.photos import photos
from bot.rules.price import show_cheaper
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending

_STILL = {
    Pending.OWN_CAR: "Boa! Me conta então: qual é o modelo, o ano e a km do seu carro?",
    Pending.BUDGET: "Certo! Até que valor eu procuro pra você?",
    Pending.GEARBOX: "Certo! Automático ou manual?",
    Pending.CAR: "Beleza! De qual carro?",
    Pending.TIME: "Certo! Que horas fica bom pra você?",
}
"""A yes to a question that no yes answers: it is asked again, in fewer words."""
PAIR = 2


def yes(talk: Talk) -> Answer:
    """A yes means what was offered last."""
    comes = coming(talk)
    if comes is not None:
        return comes
    pending = talk.state.pending
    if pending is Pending.PHOTOS and talk.target is not None:
        return photos(talk)
    if pending is Pending.CHEAPER and talk.target is not None:
        return show_cheaper(talk, talk.target)
    if pending in (Pending.PERSON, Pending.DOWN_PAYMENT):
        return _person(talk)
    still = None if pending is None else _STILL.get(pending)
    if still is not None:
        return Answer(rule="yes.still", bubbles=(text(still),), pending=pending)
    if pending is None and len(talk.state.offered) >= PAIR and talk.state.focus is None:
        body = talk.say(
            "Legal! De qual deles? Pode me dizer o número ou o modelo.",
            "Boa! Qual deles? É só me dizer o modelo.",
        )
        return Answer(rule="yes.which", bubbles=(text(body),), pending=Pending.CAR)
    body = talk.say("Certo! Me diz o que você gostaria de ver.", "Beleza! O que você procura?")
    return Answer(rule="yes.open", bubbles=(text(body),), pending=pending)


def _person(talk: Talk) -> Answer:
    """A seller is wanted; what he will ask for may be told at once."""
    body = talk.say(
        "Combinado! Vou pedir para um vendedor falar com você por aqui.",
        "Certo, já aviso um vendedor para te chamar.",
    )
    if talk.state.pending is not Pending.DOWN_PAYMENT:
        return Answer(rule="yes.person", bubbles=(text(body),), handoff="asked")
    body += " Se quiser adiantar: quanto seria de entrada, e em quantas vezes?"
    return Answer(
        rule="yes.person", bubbles=(text(body),), handoff="asked", pending=Pending.DOWN_PAYMENT
    )


def no(talk: Talk) -> Answer:
    """A no is taken as it is."""
    comes = coming(talk)
    if comes is not None:
        return comes
    body = talk.say(
        "Sem problema! Se precisar de algo, é só me chamar.", "Tudo bem! Estou por aqui se quiser."
    )
    return Answer(rule="no", bubbles=(text(body),))


RULES = {Intent.YES: yes, Intent.NO: no}

"""Visits that Lucas may not or cannot book: a seller agrees on them. Called by `rules.visits`."""

from __future__ import annotations

import re

from bot.grammar import of_car
from bot.reading.intents import Intent
from bot.rules.store import hours
from bot.rules.talk import Answer, Talk, text


def _about(talk: Talk) -> str:
    return f" {of_car(talk.target)}" if talk.target else ""


def _answer(talk: Talk, rule: str, body: str) -> Answer:
    cars = () if talk.target is None else (talk.target,)
    return Answer(
        rule=rule,
        bubbles=(text(body, cars, priced=False),),
        considered=tuple(item.car.id for item in cars),
        focus=None if talk.target is None else talk.target.car.id,
        handoff="schedule",
    )


def schedule(talk: Talk) -> Answer:
    """A visit or test drive: a seller agrees on the time."""
    flat = talk.reading.text.flat
    what = "o test drive" if re.search(r"\btest|\bvolta\b|\bandar\b", flat) else "a visita"
    if re.search(r"\b(?:buscar|retirar)\b", flat):
        what = "a retirada"
    body = talk.say(
        f"Que bom! Vou passar seu pedido para um vendedor, que confirma {what}{_about(talk)} com "
        f"você por aqui.",
        f"Combinamos assim: um vendedor te responde por aqui para confirmar o dia e o horário "
        f"d{what}{_about(talk)}.",
    )
    if talk.state.last_intent in (Intent.SCHEDULE, Intent.RESCHEDULE):
        body = talk.say(
            "Anotado! Passo para o vendedor, que confirma com você por aqui.",
            "Certo, já aviso o vendedor. Ele confirma o dia e o horário por aqui.",
            "Tudo bem, passo a mudança para o vendedor confirmar com você.",
        )
    elif talk.dealer.horario:
        body = f"{body} {hours(talk)}"
    return _answer(talk, "schedule.person", body)


def reschedule(talk: Talk) -> Answer:
    """A seller changes the time."""
    body = talk.say(
        "Sem problema! Vou pedir para um vendedor confirmar o novo dia e horário com você.",
        "Tudo bem! O vendedor vai te chamar por aqui para acertar o novo horário.",
    )
    return _answer(talk, "reschedule.person", body)


def cancel(talk: Talk) -> Answer:
    """A seller takes it out of the book."""
    body = talk.say(
        "Tudo bem, já aviso a equipe para cancelar. Se quiser outro dia, é só me chamar.",
        "Sem problema! Vou pedir para a equipe desmarcar. Quando quiser, é só falar comigo.",
    )
    return _answer(talk, "cancel_schedule.person", body)

"""Answers where the store is and when it is open, from what the dealer said. Called by `lucas`."""

from __future__ import annotations

import re

from bot.agenda.hours import HOLIDAY, OpeningHours
from bot.agenda.slots import day_of
from bot.reading.intents import Intent
from bot.rules.talk import Answer, Talk, text
from bot.state import Draft
from bot.wording_time import spans, week_words, weekday

_PHONE = re.compile(r"\b(?:telefone|fixo|numero (?:de voces|da loja))\b")
_ACCENTS = {"sab": "sáb", "sabado": "sábado", "terca": "terça"}


def store(talk: Talk) -> Answer:
    """Address, opening hours, or both when both are asked for."""
    parts = []
    if _PHONE.search(talk.reading.text.flat):
        parts.append(phone(talk))
    elif talk.reading.has(Intent.LOCATION):
        parts.append(address(talk))
    if talk.reading.has(Intent.HOURS):
        parts.append(hours(talk))
    rule = "store.location" if talk.reading.has(Intent.LOCATION) else "store.hours"
    return Answer(rule=rule, bubbles=(text("\n".join(parts)),), draft=_day_told(talk))


def _day_told(talk: Talk) -> Draft | None:
    """`que horas abre sábado?`, then `marca 10h`: of that day."""
    wish = talk.reading.when_said.day
    day = (
        None
        if wish is None or not talk.reading.has(Intent.HOURS)
        else day_of(wish, talk.now.date())
    )
    open_then = day is not None and talk.hours is not None and bool(talk.hours.spans(day))
    return Draft(day=day, told=True, idle=1) if open_then else None


def phone(talk: Talk) -> str:
    """The store's own number."""
    if not talk.dealer.telefone:
        return talk.say(
            "O telefone da loja eu vou confirmar com a equipe.",
            "Vou confirmar o número da loja e te passo por aqui.",
        )
    return talk.say(
        f"O telefone da {talk.dealer.nome} é {talk.dealer.telefone}.",
        f"Nosso telefone: {talk.dealer.telefone}.",
    )


def address(talk: Talk) -> str:
    """Where the store is; unknown is said so."""
    if not talk.dealer.endereco:
        return talk.say(
            "Vou confirmar o endereço certinho com a equipe e te passo por aqui.",
            "O endereço eu vou confirmar com o pessoal da loja.",
        )
    return talk.say(
        f"A {talk.dealer.nome} fica em: {talk.dealer.endereco}.",
        f"Nosso endereço: {talk.dealer.endereco}.",
        f"Estamos aqui: {talk.dealer.endereco}.",
    )


def _of_day(talk: Talk) -> str | None:
    """What is known of one day, where the dealer's words can be understood."""
    flat, open_hours = talk.reading.text.flat, talk.hours
    if open_hours is None:
        return None
    wish, today = talk.reading.when_said.day, talk.now.date()
    if wish is None:
        return _on_holidays(open_hours) if "feriado" in flat else None
    day = day_of(wish, today)
    if day is None or day < today:
        return None
    said = f"{weekday(day).capitalize()}, {day:%d/%m},"
    spoken = open_hours.spans(day)
    if spoken:
        return talk.say(f"{said} atendemos {spans(spoken)}.", f"{said} abrimos {spans(spoken)}.")
    holiday = open_hours.closed.holiday(day)
    why = f" por causa do feriado ({holiday})" if holiday else ""
    return f"{said} a loja fica fechada{why}. Nosso horário: {week_words(open_hours)}."


def _on_holidays(open_hours: OpeningHours) -> str:
    open_ = open_hours.week[HOLIDAY]
    if open_:
        return f"Em feriados atendemos {spans(open_)}."
    return f"Em feriados a loja fica fechada. Nosso horário: {week_words(open_hours)}."


def hours(talk: Talk) -> str:
    """The opening hours: of the day that is asked for, else as the dealer wrote them."""
    of_day = _of_day(talk)
    if of_day is not None:
        return of_day
    if not talk.dealer.horario:
        return talk.say(
            "Vou confirmar o horário de atendimento com a equipe e te aviso.",
            "O horário eu vou confirmar com o pessoal da loja.",
        )
    shown = re.sub(
        r"[a-z]+",
        lambda word: _ACCENTS.get(word[0], word[0]),
        talk.dealer.horario,
        flags=re.IGNORECASE,
    )
    if "domingo" in talk.reading.text.flat and not re.search(r"\bdom", shown, re.IGNORECASE):
        return talk.say(
            f"Domingo não consta no nosso horário. Atendemos: {shown}.",
            f"No domingo não temos atendimento previsto. Nosso horário: {shown}.",
        )
    return talk.say(f"Nosso horário: {shown}.", f"Atendemos: {shown}.", f"A loja abre: {shown}.")

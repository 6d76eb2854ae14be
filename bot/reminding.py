"""What Lucas writes when he reminds of an appointment. Called by `worker.remind`.

Pure like `lucas`: no clock, no database. States the car's name and that it is there, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from bot.agenda.reminders import ReminderKind
from bot.grammar import ending, the_agent, the_car
from bot.rules.talk import digest
from bot.rules.visit_words import WORDS, about
from bot.state import REMEMBERED_BUBBLES, Pending, State, dump, load
from bot.stock import Listing
from bot.values import Appointment, Bubble, Dealer, Fact, VisitKind
from bot.voice import called
from bot.wording_time import at_clock, clock, day_words, moment

_EVENING = (
    "Passando pra lembrar: {what} é {when}.",
    "Só pra não esquecer: {what} ficou pra {when}.",
    "Te esperamos aqui pra {what}, {when}.",
    "Lembrete rápido: {what}, {when}.",
)
_HOURS = (
    "Te esperamos hoje, {at}, pra {what}.",
    "Só lembrando: {what} é hoje, {at}.",
    "É hoje: {what}, {at}.",
    "Falta pouco: {what} é {at}.",
)
_ASK = (
    "Posso confirmar sua presença?",
    "Confirma pra mim? Se não der, a gente remarca.",
    "Tudo certo pra você vir?",
)
_IF_NOT = (
    "Se precisar mudar o horário, é só me avisar.",
    "Qualquer imprevisto, me chama por aqui.",
    "Se não der pra vir, me avisa que a gente remarca.",
)
"""For one that is confirmed already, or that a seller has to confirm."""
_GONE = (
    "Preciso te avisar antes d{what}, {when}: {car} {gone}.",
    "Sobre {what}, {when}, tenho uma notícia chata: {car} {gone}.",
    "Antes que você venha à toa: {car}, d{what}, {when}, {gone}.",
)
_INSTEAD = (
    "Já pedi pra um vendedor falar com você. Se quiser, me diz o que procura que eu vejo outro.",
    "Um vendedor vai te chamar por aqui. Enquanto isso, posso te mostrar outros: é só pedir.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What there is to say, to whom."""

    kind: ReminderKind
    appointment: Appointment
    """A stored one: it has an id."""
    confirmed: bool
    """Whether he or a person of the shop has confirmed it."""
    car: Listing | None
    buyer_name: str | None
    state: dict[str, Any]
    """`conversations.estado` as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The message, and what Lucas remembers of the talk with it."""

    bubble: Bubble
    state: dict[str, Any]
    words: tuple[str, ...] = ()
    """What for, day and time: what a template that goes out in its place is filled with."""


def remind(occasion: Occasion, *, dealer: Dealer, now: datetime) -> Said:
    """The reminder, or that the car is gone. `now` is in the dealer's zone."""
    state, car = load(occasion.state), occasion.car
    text = _unsaid(occasion, state, _hello(occasion, state, dealer), dealer, now)
    facts = () if car is None else (Fact(car_id=car.car.id, status=car.car.status),)
    said = tuple(dict.fromkeys((digest(text), *state.recent)))[: REMEMBERED_BUBBLES * 2]
    there = car is not None and occasion.kind is not ReminderKind.GONE
    # What Lucas asked before lies back: a yes now answers the reminder.
    after = state.model_copy(
        update={
            "greeted": True,
            "recent": said,
            "pending": Pending.COMING if occasion.kind is not ReminderKind.GONE else None,
            "focus": car.car.id if car is not None and there else state.focus,
        }
    )
    at = occasion.appointment.at
    words = (_your(occasion.appointment.kind), day_words(at.date(), now.date()), clock(at.time()))
    there_is = occasion.kind is not ReminderKind.GONE
    return Said(
        bubble=Bubble(text=text, facts=facts), state=dump(after), words=words if there_is else ()
    )


def _hello(occasion: Occasion, state: State, dealer: Dealer) -> str:
    hello = f"Oi{called(state.name or occasion.buyer_name)}"
    if state.greeted:
        return hello
    return f"{hello} Aqui é {the_agent(dealer.profile.nome_agente)}, da {dealer.nome}."


def _unsaid(occasion: Occasion, state: State, hello: str, dealer: Dealer, now: datetime) -> str:
    """Another wording for each appointment, and none that this buyer has had."""
    ways = [f"{hello} {way}" for way in _ways(occasion, dealer, now)]
    first = (occasion.appointment.id or 0) % len(ways)
    turned = [*ways[first:], *ways[:first]]
    return next((way for way in turned if digest(way) not in state.recent), turned[0])


def _ways(occasion: Occasion, dealer: Dealer, now: datetime) -> Iterator[str]:
    at = occasion.appointment.at
    words = {"when": moment(at, now.date()), "at": at_clock(at.time())}
    if occasion.kind is ReminderKind.GONE:
        yield from _ways_gone(occasion, words)
        return
    words["what"] = _your(occasion.appointment.kind) + about(
        occasion.appointment.kind, occasion.car
    )
    unsure = occasion.appointment.kind is VisitKind.ENTREGA and not occasion.confirmed
    more = " O vendedor confirma com você se já está tudo pronto." if unsure else ""
    more += f" Estamos em: {dealer.endereco}." if dealer.endereco else ""
    said = _EVENING if occasion.kind is ReminderKind.EVENING else _HOURS
    settled = occasion.confirmed or occasion.appointment.kind is VisitKind.ENTREGA
    for closing, way in product(_IF_NOT if settled else _ASK, said):
        yield f"{way.format_map(words)}{more} {closing}"


def _ways_gone(occasion: Occasion, words: dict[str, str]) -> Iterator[str]:
    car = occasion.car
    if car is None:
        raise ValueError("only a car that is known can be gone")
    sold = car.car.status == "sold"
    words |= {
        "what": WORDS[occasion.appointment.kind][0],
        "car": the_car(car),
        "gone": f"foi vendid{ending(car)}"
        if sold
        else f"está reservad{ending(car)} para outra pessoa",
    }
    for closing, way in product(_INSTEAD, _GONE):
        yield f"{way.format_map(words)} {closing}"


def _your(kind: VisitKind) -> str:
    """sua visita, seu test drive."""
    what, article = WORDS[kind]
    return f"{'sua' if article == 'a' else 'seu'} {what[2:]}"

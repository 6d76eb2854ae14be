"""Answers what else was asked in the same turn, after what counts most. Called by `lucas`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.context import PRICE
from bot.grammar import the_car_first
from bot.masking import holds_document
from bot.reading.data import topics
from bot.reading.intents import Intent
from bot.rules.details import about
from bot.rules.documents import NO_PIX, WHY, pays_here, sends_document
from bot.rules.photos import photos
from bot.rules.store import address, hours
from bot.rules.talk import Answer, Talk, text
from bot.stock import Listing
from bot.values import Bubble, BubbleKind
from bot.wording import price

_ALONE = frozenset((Intent.OPT_OUT, Intent.HUMAN, Intent.COMPLAINT, Intent.OFF_TOPIC))
"""After these nothing else is answered: a person takes over, or nobody."""
_PHOTO_OF = re.compile(r"\b(?:fotos?|fotinhas?|videos?|imagens?|imagem)(?: \w+)? d[aoe]s? \w+")
"""`foto do motor` asks nothing about it."""
_IN_A_LINE = frozenset(("km", "cor", "ano", "cambio", "combustivel"))
"""What the line of a car says when it is shown."""
_TELLS_PRICE = frozenset((Intent.SEARCH, Intent.NEGOTIATE))


def with_asides(talk: Talk, answer: Answer, main: Intent, raw: str) -> Answer:
    """The answer with one more bubble for the rest, and photos that were asked for besides."""
    if main in _ALONE:
        return answer
    said = [*_about_the_car(talk, answer, main), *_about_the_store(talk, main)]
    if holds_document(raw) or (
        answer.rule != "documents" and sends_document(talk.reading.text.flat)
    ):
        said.append(WHY)
    if main is Intent.BUY and pays_here(talk.reading.text.flat):
        said.append(NO_PIX)
    bubbles = answer.bubbles
    if said:
        item = _car(talk, answer)
        extra = text("\n".join(said), () if item is None else (item,))
        bubbles = (*bubbles, extra)
    if talk.reading.has(Intent.PHOTOS) and main is not Intent.PHOTOS:
        bubbles = (*bubbles, *_images(talk, answer))
    handoff = answer.handoff
    if talk.reading.has(Intent.BUY) and main is not Intent.BUY:
        handoff = handoff or "buy"
    return replace(answer, bubbles=bubbles, handoff=handoff)


def _car(talk: Talk, answer: Answer) -> Listing | None:
    """The one car that the turn is about."""
    if talk.target is not None:
        return talk.target
    return talk.stock.get(answer.considered[0]) if len(answer.considered) == 1 else None


def _about_the_car(talk: Talk, answer: Answer, main: Intent) -> Iterator[str]:
    item = _car(talk, answer)
    if item is None:
        return
    told_already = _IN_A_LINE if main is Intent.SEARCH else frozenset()
    besides = _PHOTO_OF.sub("", talk.reading.text.flat) if main is Intent.PHOTOS else ""
    asked = tuple(
        topic.name
        for topic in topics()
        if topic.name in talk.reading.topics
        and topic.name not in told_already
        and (not besides or topic.ask.search(besides))
    )
    priced = bool(PRICE.search(talk.reading.text.flat))
    if asked and main is not Intent.DETAILS and (talk.reading.has(Intent.DETAILS) or priced):
        told = about(talk, item, asked).bubbles[0].text
        if told:
            yield told
    if main not in _TELLS_PRICE and PRICE.search(talk.reading.text.flat) and _wants_price(talk):
        yield f"{the_car_first(item)} está por {price(item)}."


def _wants_price(talk: Talk) -> bool:
    """A price is asked for, not an instalment, nor what the buyer's own car is worth."""
    others = (Intent.FINANCING, Intent.TRADE_IN, Intent.SELL_CAR, Intent.BUY)
    return not any(talk.reading.has(intent) for intent in others)


def _about_the_store(talk: Talk, main: Intent) -> Iterator[str]:
    has = talk.reading.has
    if has(Intent.TRADE_IN) and main not in (Intent.TRADE_IN, Intent.SELL_CAR):
        yield "Sobre a troca: aceitamos com avaliação do seu carro pela equipe, na loja."
    if has(Intent.FINANCING) and main not in (Intent.FINANCING, Intent.NEGOTIATE):
        yield "Sobre financiamento: as condições saem da análise de crédito do banco."
    if main in (Intent.LOCATION, Intent.HOURS):
        return
    if has(Intent.LOCATION):
        yield address(talk)
    if has(Intent.HOURS) and main not in (Intent.RESCHEDULE, Intent.CANCEL_SCHEDULE):
        yield hours(talk)


def _images(talk: Talk, answer: Answer) -> tuple[Bubble, ...]:
    item = _car(talk, answer)
    if item is None:
        return ()
    sent = photos(replace(talk, target=item)).bubbles
    return tuple(bubble for bubble in sent if bubble.kind is BubbleKind.IMAGE) or sent

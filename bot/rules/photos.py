"""Sends the photos of a car, or says that there are none. Called by `lucas`."""

from __future__ import annotations

import re

from bot.grammar import it, of_car, of_it, the_car_first
from bot.rules.compare import two_cars
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending
from bot.stock import Listing
from bot.values import Bubble, BubbleKind
from bot.wording import fact, name

_BOTH = re.compile(
    r"\b(?:dos|das|os|as) (?:dois|duas)\b|\bde tod[oa]s\b|\bde (?:ambos|ambas)\b|\bdeles\b|"
    r"\bdelas\b"
)
_IN_A_PICTURE = re.compile(r"\b(?:d[ao]|dess[ea]|ness[ea]|n[ao]) (?:foto|imagem|print|video)\b")
OF_EACH = 3
SENT = 5
"""More photos at once are a flood."""


def photos(talk: Talk) -> Answer:
    """Up to five photos in the dealer's order."""
    if _BOTH.search(talk.reading.text.flat):
        two = [item for item in two_cars(talk) or () if item.car.fotos]
        if two:
            return _of_several(talk, two)
    item = talk.target
    if item is None and _IN_A_PICTURE.search(talk.reading.text.flat):
        body = "A imagem eu não consigo ver por aqui. Qual é o modelo do carro?"
        return Answer(rule="photos.which_car", bubbles=(text(body),), pending=Pending.CAR)
    if item is None:
        body = talk.say(
            "Claro! De qual carro você quer ver as fotos?", "De qual carro? Já te mando as fotos."
        )
        return Answer(rule="photos.which_car", bubbles=(text(body),), pending=Pending.CAR)
    if not item.car.fotos:
        body = talk.say(
            f"Ainda não tenho fotos {of_car(item)} aqui. Quer que eu peça para a equipe?",
            f"{the_car_first(item)} ainda está sem fotos. Posso pedir para o pessoal da loja?",
        )
        return Answer(
            rule="photos.none",
            bubbles=(text(body, [item], priced=False),),
            considered=(item.car.id,),
            focus=item.car.id,
            pending=Pending.PERSON,
        )
    images = _images(item, SENT)
    closing = talk.say(
        f"O que achou? Quer saber mais alguma coisa {of_it(item)}?",
        f"Gostou? Posso te contar mais sobre {it(item)}.",
        f"Que tal? Quer mais algum detalhe {of_it(item)}?",
        "Aí estão! Ficou alguma dúvida?",
    )
    return Answer(
        rule="photos.sent",
        bubbles=(*images, text(closing)),
        considered=(item.car.id,),
        focus=item.car.id,
    )


def _of_several(talk: Talk, items: list[Listing]) -> Answer:
    """A few photos of each car, one car after the other."""
    images = tuple(bubble for item in items for bubble in _images(item, OF_EACH))
    closing = talk.say("Qual chamou mais sua atenção?", "Qual deles você quer ver de perto?")
    return Answer(
        rule="photos.several",
        bubbles=(*images, text(closing)),
        considered=tuple(item.car.id for item in items),
        offered=tuple(item.car.id for item in items),
    )


def _images(item: Listing, most: int) -> tuple[Bubble, ...]:
    return tuple(
        Bubble(
            kind=BubbleKind.IMAGE,
            text=name(item) if position == 0 else None,
            media_url=url,
            facts=(fact(item, priced=False),),
        )
        for position, url in enumerate(item.car.fotos[:most])
    )

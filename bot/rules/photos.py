"""Sends the photos of a car, or says that there are none. Called by `lucas`."""

from __future__ import annotations

from bot.grammar import it, of_car, of_it, the_car_first
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending
from bot.values import Bubble, BubbleKind
from bot.wording import fact, name

SENT = 5
"""More photos at once are a flood."""


def photos(talk: Talk) -> Answer:
    """Up to five photos in the dealer's order."""
    item = talk.target
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
    images = tuple(
        Bubble(
            kind=BubbleKind.IMAGE,
            text=name(item) if position == 0 else None,
            media_url=url,
            facts=(fact(item, priced=False),),
        )
        for position, url in enumerate(item.car.fotos[:SENT])
    )
    closing = talk.say(
        f"O que achou? Quer saber mais alguma coisa {of_it(item)}?",
        f"Gostou? Posso te contar mais sobre {it(item)}.",
    )
    return Answer(
        rule="photos.sent",
        bubbles=(*images, text(closing)),
        considered=(item.car.id,),
        focus=item.car.id,
    )

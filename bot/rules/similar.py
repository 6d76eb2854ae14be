"""Shows cars like the one spoken of: its kind first, then near its price. Called by `search`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.rules.alternatives import nearest
from bot.rules.talk import Answer, Talk, offer
from bot.stock import Listing
from bot.wording import bullets

_SIMILAR = re.compile(
    r"\b(?:parecid[oa]s?|similar(?:es)?|semelhantes?|(?:nesse|desse|no mesmo) (?:estilo|nivel|"
    r"naipe|"
    r"padrao|tipo)|(?:dessa|nessa|da mesma|na mesma) (?:linha|pegada|categoria|faixa))\b"
)


def asks_for_similar(talk: Talk) -> bool:
    """`o que tem parecido?` of a car or a model that was spoken of, without any other wish."""
    plain = talk.reading.filters.empty() and not talk.reading.likes
    known = talk.state.focus is not None or bool(talk.state.filters.model)
    return plain and known and _SIMILAR.search(talk.reading.text.flat) is not None


def similar(talk: Talk) -> Answer:
    """The nearest ones that he has not before his eyes; called alike, not the same."""
    one = talk.target
    wish = talk.state.filters
    if one is not None:
        wish = Filters(body=(one.body,) if one.body else (), price_max=int(one.car.preco))
    missed = next(iter(talk.stock.missed(wish)), None) if one is None and wish.model else None
    seen = {talk.state.focus, *talk.state.offered} if one is not None else {talk.state.focus}
    found = nearest(wish, talk.stock, one or missed, said_now=Filters(), without=seen)
    intro = talk.say("Nessa linha, tenho também:", "Parecidos com esse, tenho:")
    body = f"{intro}\n\n{bullets(found)}\n\nAlgum te interessa?"
    return Answer(
        rule="search.similar",
        bubbles=(offer(body, found),),
        considered=_ids(found),
        offered=_ids(found),
        focus=found[0].car.id if len(found) == 1 else -1,
        aside=(intro,),
    )


def _ids(found: list[Listing]) -> tuple[int, ...]:
    return tuple(item.car.id for item in found)

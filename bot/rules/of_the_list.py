"""Goes on with what was shown: cars like it, and what each costs. Called by `rules.search`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.grammar import is_feminine, the_car
from bot.rules.alternatives import nearest
from bot.rules.talk import Answer, Talk, offer, text
from bot.stock import Listing, fits
from bot.wording import bullets, joined, price

TWO = 2
_SIMILAR = re.compile(
    r"\b(?:parecid[oa]s?|similar(?:es)?|semelhantes?|(?:nesse|desse|no mesmo) (?:estilo|nivel|"
    r"naipe|"
    r"padrao|tipo)|(?:dessa|nessa|da mesma|na mesma) (?:linha|pegada|categoria|faixa))\b"
)


def of_the_list(talk: Talk) -> Answer | None:
    """What is asked of the cars shown: their prices, which of them are so, others like this."""
    answer = _prices_of_the_shown(talk) or _which_of_them(talk)
    if answer is None and _asks_for_similar(talk):
        return _similar(talk)
    return answer


def _asks_for_similar(talk: Talk) -> bool:
    """`o que tem parecido?` of a car or a model that was spoken of, without any other wish."""
    plain = talk.reading.filters.empty() and not talk.reading.likes
    known = talk.state.focus is not None or bool(talk.state.filters.model)
    return plain and known and _SIMILAR.search(talk.reading.text.flat) is not None


def _similar(talk: Talk) -> Answer:
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


_HOW_MUCH = re.compile(
    r"(?:(?:e|mas|qual|quais|me|diz|fala|passa|sao|e o|o|os|a|de|d[eo]l[ea]s?|dess[ea]s|cada|um|"
    r"deles|delas) ?)*"
    r"(?:quanto (?:que )?(?:e|esta|estao|custa|custam|sai|saem|fica|ficam)|precos?|valor(?:es)?)"
    r"(?: (?:deles|delas|desses|dessas|cada|um|de|e|qual|por|favor|ai|tudo))*"
)


def _prices_of_the_shown(talk: Talk) -> Answer | None:
    """`quanto custa?` of a list: what each of them costs, not the list again."""
    shown = [item for item in map(talk.stock.get, talk.state.offered) if item is not None]
    asks = _HOW_MUCH.fullmatch(talk.reading.text.flat) and talk.reading.reference is None
    if talk.target is not None or len(shown) < TWO or not asks:
        return None
    told = joined([f"{the_car(item)} está por {price(item)}" for item in shown])
    body = f"{told[0].upper()}{told[1:]}. Gostou de algum?"
    return Answer(
        rule="search.prices",
        bubbles=(text(body, shown),),
        considered=_ids(shown),
        offered=_ids(shown),
        focus=-1,
    )


_WHICH_OF_THEM = re.compile(
    r"^(?:e |mas |tem )?(?:qual|quais|algum|alguma|alguns|algumas) (?:d[ao]s (?:dois|duas|tres|"
    r"quatro|cinco)|del[ea]s|dess[ea]s|dentre|d[ao]quel[ea]s)\b"
)


def _which_of_them(talk: Talk) -> Answer | None:
    """`qual das duas é automática?`: of those shown the ones that are so, or none of them."""
    said = talk.reading.filters.model_copy(update={"sort": None})
    shown = [item for item in map(talk.stock.get, talk.state.offered) if item is not None]
    if said.empty() or len(shown) < TWO or not _WHICH_OF_THEM.search(talk.reading.text.flat):
        return None
    found = [item for item in shown if fits(item, said)]
    only = len(found) == 1
    this = "esta" if only and is_feminine(found[0]) else "este"
    one = f"Desses, só {this}:" if only else "Desses, são estes:"
    none = "Desses, nenhum. Quer que eu procure outros assim?"
    body = f"{one}\n\n{bullets(found)}\n\nQuer saber mais?" if found else none
    return Answer(
        rule="search.which_of_them",
        bubbles=(text(body, found),),
        considered=_ids(found),
        focus=found[0].car.id if len(found) == 1 else None,
    )


def _ids(found: list[Listing]) -> tuple[int, ...]:
    return tuple(item.car.id for item in found)

"""Shows cars that fit a wish, and asks what narrows or goes on. Called by `rules.search`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.grammar import of_it
from bot.rules.talk import Answer, Talk, offer
from bot.state import Pending
from bot.stock import Listing, fits
from bot.wording import bullets, joined

SHOWN = 5
PAIR = 2
OF_MANY = 4
"""Of more than five the first ones: a screen of a phone, and a question that narrows."""


def show(talk: Talk, wish: Filters, found: list[Listing]) -> Answer:
    """Up to five of the cars found; of more than five four and a question that narrows."""
    found = _likest_first(talk, wish, found)
    shown = _first_ones(wish, found)
    if len(shown) > 1 and _just_shown(talk, shown):
        return _the_same(talk, wish, found, shown)
    intro = _missing_models(talk, wish) or _intro(talk, wish, len(found), len(shown))
    if len(found) == 1 and found[0].car.id == talk.state.focus:
        intro = talk.say("Assim, hoje só tenho um mesmo:", "Desse jeito, por enquanto é só um:")
    closing, pending = _closing(talk, wish, found)
    body = f"{intro}\n\n{bullets(shown)}\n\n{closing}"
    return Answer(
        rule="search.found",
        bubbles=(offer(body, shown),),
        considered=tuple(item.car.id for item in found),
        offered=tuple(item.car.id for item in shown),
        focus=found[0].car.id if len(found) == 1 or _wants_the_first(talk, wish) else -1,
        filters=wish,
        pending=pending,
        aside=(intro, closing),
    )


def _first_ones(wish: Filters, found: list[Listing]) -> list[Listing]:
    """As many as are shown; of several models that were wished for, each is among them."""
    if len(found) <= SHOWN:
        return found
    best = [
        next((item for item in found if fits(item, Filters(model=(one,)))), None)
        for one in wish.model[:OF_MANY]
    ]
    each = {item.car.id for item in best if item is not None}
    rest = [item.car.id for item in found if item.car.id not in each]
    chosen = each.union(rest[: OF_MANY - len(each)])
    return [item for item in found if item.car.id in chosen]


_THE_FIRST = re.compile(
    r"\b(?:qual|quero|ver|manda|mostra|tem)?(?: me)?(?: e)? ?(?:o|a)(?: carro| suv| sedan| hatch|"
    r" picape)? "
    r"(?:seu |sua )?(?:mais|menos|de menor|com menos) \w+|"
    r"(?:(?:quero|queria|me mostra|mostra|ver|manda|vi) |quanto (?:\w+ ){0,3}?|"
    r"qual (?:\w+ ){0,3}?|cade |e |tem )?(?:o|a)(?: [a-z0-9-]+){1,3}? "
    r"(?:mais|menos) (?:nov|barat|car|rodad|velh|antig)[oa]\b(?! que)"
)


def _wants_the_first(talk: Talk, wish: Filters) -> bool:
    """`qual o carro mais barato?`: of the list the first is meant, and `ele` is that one."""
    return wish.sort is not None and bool(_THE_FIRST.match(talk.reading.text.flat))


def _just_shown(talk: Talk, shown: list[Listing]) -> bool:
    """True when a wish leaves the cars that the buyer has before his eyes."""
    return talk.state.last_intent == "search" and talk.state.offered == tuple(
        item.car.id for item in shown
    )


def _the_same(talk: Talk, wish: Filters, found: list[Listing], shown: list[Listing]) -> Answer:
    """Said in a sentence: the same list twice in a row is what a machine sends."""
    closing, pending = _closing(talk, wish, found)
    more = "" if len(found) == len(shown) else " E tenho mais nessa linha."
    many = "dois" if len(shown) == PAIR else str(len(shown))
    intro = talk.say(
        f"Esses {many} que te mostrei já são assim.{more}",
        f"Os {many} da lista acima servem.{more}",
        f"Os {many} que mandei já atendem a isso.{more}",
    )
    return Answer(
        rule="search.same",
        bubbles=(offer(f"{intro} {closing}", shown),),
        considered=tuple(item.car.id for item in found),
        offered=tuple(item.car.id for item in shown),
        focus=-1,
        filters=wish,
        pending=pending,
        aside=(intro, closing),
    )


def _missing_models(talk: Talk, wish: Filters) -> str:
    """Of several models that were asked for, those that are not there are named."""
    if len(wish.model) < 2:
        return ""
    absent = [one for one in wish.model if not talk.stock.matching(Filters(model=(one,)))]
    if not absent:
        return ""
    return f"{joined([one.spoken() for one in absent], 'nem')} não temos no momento, mas olha:"


def _likest_first(talk: Talk, wish: Filters, found: list[Listing]) -> list[Listing]:
    """`tipo um Civic` is no filter, but cars of its body are shown first."""
    bodies = {talk.stock.body_of(model) for model in talk.reading.likes} - {None}
    if not bodies or wish.sort is not None:
        return found
    return sorted(found, key=lambda item: item.body not in bodies)


def _intro(talk: Talk, wish: Filters, total: int, shown: int) -> str:
    if total == 1:
        return talk.say("Tenho sim! Olha só:", "Tenho este aqui:", "Achei um pra você:")
    if talk.reading.likes and not wish.sort:
        like = joined([model.spoken() for model in talk.reading.likes], "ou")
        return talk.say(f"Nesse estilo ({like}), olha o que temos:", f"Parecidos com {like}:")
    if wish.empty() and not wish.sort and total == len(talk.stock.offered):
        return talk.say(
            f"Temos {total} carros à venda. Separei alguns pra começar:",
            f"São {total} carros no estoque hoje. Olha alguns:",
        )
    if total > shown:
        return talk.say(
            f"Tenho {total} opções assim. Olha essas primeiro:",
            f"Tem bastante coisa: {total} carros nessa linha. Pra começar:",
            f"São {total} que combinam com o que você quer. Começando por estes:",
        )
    return talk.say(
        "Tenho sim! Olha só:", "Olha o que eu tenho:", f"Separei {total} opções pra você:",
        "Dá uma olhada nesses:",
    )  # fmt: skip


def _closing(talk: Talk, wish: Filters, found: list[Listing]) -> tuple[str, Pending | None]:
    if len(found) == 1:
        pending = Pending.PHOTOS if found[0].car.fotos else None
        if pending is None:
            its = of_it(found[0])
            return talk.say(f"Quer saber mais alguma coisa {its}?", "O que mais quer saber?"), None
        return talk.say("Quer ver as fotos?", "Posso te mandar as fotos?"), pending
    if len(found) > SHOWN and wish.price_max is None and not wish.model:
        question = talk.say(
            "Até quanto você pensa em gastar?", "Qual faixa de preço fica boa pra você?"
        )
        return question, Pending.BUDGET
    if len(found) > SHOWN and wish.transmission is None:
        return talk.say(
            "Prefere automático ou manual? Assim eu filtro melhor.",
            "Tem preferência de câmbio, automático ou manual?",
        ), Pending.GEARBOX
    return talk.say(
        "Gostou de algum? Posso mandar fotos e mais detalhes.",
        "Qual deles chamou mais sua atenção?",
        "Quer saber mais de algum deles?",
    ), None

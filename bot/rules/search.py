"""Answers a wish for cars: what there is, or honestly that there is none. Called by `lucas`."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.filters import Exclude, Filters
from bot.grammar import of_it
from bot.reading.data import Topic, topics
from bot.reading.references import Pointing
from bot.reading.text import fold
from bot.rules.compare import compared
from bot.rules.details import quoted
from bot.rules.nothing_found import cheapest, chosen_too_late, none_fits
from bot.rules.talk import Answer, Talk, offer, text
from bot.rules.wishes import joined_wish
from bot.state import Pending
from bot.stock import Listing, fits
from bot.wording import bullets, joined, line

SHOWN = 5
OF_MANY = 4
"""Of more than five the first ones: a screen of a phone, and a question that narrows."""


def search(talk: Talk) -> Answer:
    """The cars that fit the wish of this conversation: up to five, of more than five four."""
    reference = talk.reading.reference
    side_by_side = compared(talk)
    if side_by_side is not None:
        return side_by_side
    others = reference is not None and reference.how is Pointing.OTHERS
    if others and talk.pointed and talk.target is not None:
        return one_car(talk, talk.target)  # `e a outra?` of two
    if others and talk.state.offered and not _new_limit(talk):
        return _more(talk)
    if talk.chosen is not None and talk.target is None:
        return chosen_too_late(talk, talk.chosen)
    if (talk.chosen is not None or _points_at_one(talk)) and talk.target is not None:
        return one_car(talk, talk.target)
    wish = joined_wish(talk.reading, talk.state, talk.stock)
    sifted = talk.stock.sifted(wish)
    answer = _answer(talk, wish, sifted.found)
    return replace(answer, fell_out=sifted.fell_out)


def _new_limit(talk: Talk) -> bool:
    """`não tem mais? aumenta pra 110`: all that fit now, not the next ones of the old wish."""
    said = talk.reading.filters
    return said.exclude != Exclude() or (said.price_max or 0) > (talk.state.filters.price_max or 0)


def _answer(talk: Talk, wish: Filters, found: list[Listing]) -> Answer:
    if not found and _asks_cheaper(talk):
        return cheapest(talk)
    if not found:
        return none_fits(talk, wish)
    asked = [topic for topic in topics() if topic.find and topic.name in talk.reading.topics]
    if asked:
        return _with_features(talk, wish, found, asked)
    return _found(talk, wish, found)


def _asks_cheaper(talk: Talk) -> bool:
    reference = talk.reading.reference
    cheaper = reference is not None and reference.how is Pointing.CHEAPER
    return cheaper and bool(talk.state.offered)


def _with_features(talk: Talk, wish: Filters, found: list[Listing], asked: list[Topic]) -> Answer:
    """Features that are no column (4x4, 7 lugares) are looked for in the advertisements."""
    flat = talk.reading.text.flat
    having = [item for item in found if all(_has(topic, item, flat) for topic in asked)]
    if having:
        return _found(talk, wish, having)
    answer = _found(talk, wish, found)
    what = joined([topic.label for topic in asked])
    note = f"Nenhum anúncio nosso fala sobre {what}; isso eu confirmo com a equipe."
    return replace(answer, rule="search.feature_unknown", bubbles=(*answer.bubbles, text(note)))


_HOW_MANY = re.compile(r"\b([0-9]+) (?:lugares|portas|pessoas|passageiros|airbags|air bags)\b")


_WITHOUT = re.compile(r"\b(?:nao|sem)\b")
"""`Kit GNV não instalado` is no car with GNV."""


def _has(topic: Topic, item: Listing, flat: str) -> bool:
    """True when the advertisement speaks of it: of as many (7 lugares) as were asked for."""
    said, many = quoted(topic, item), _HOW_MANY.search(flat)
    if said is None or _WITHOUT.search(fold(said)):
        return False
    return many is None or re.search(rf"\b{many[1]}\b", said) is not None


def _points_at_one(talk: Talk) -> bool:
    """True when the turn is about one car already shown, not about a new wish."""
    reference = talk.reading.reference
    stated = talk.reading.filters.model_copy(update={"sort": None})
    if reference is not None and reference.how is Pointing.BEST:
        return bool(talk.state.offered) and stated.empty()
    cheaper = reference is not None and reference.how is Pointing.CHEAPER
    this = reference is not None and reference.how is Pointing.THIS
    if this and stated.price_max is not None and not stated.model:
        return False  # `só esse? e até 55`
    if talk.pointed and not cheaper:
        return True
    if reference is not None and not cheaper:
        return not stated.model
    return (
        stated.empty()
        and not talk.reading.free
        and talk.reading.filters.sort is None
        and talk.state.focus is not None
        and bool(not _asks_for_all(talk))
    )


def _asks_for_all(talk: Talk) -> bool:
    flat = talk.reading.text.flat
    return any(
        word in flat
        for word in ("estoque", "o que", "outro", "outra", "quais", "tem carro", "um carro")
    )


def one_car(talk: Talk, item: Listing) -> Answer:
    """One car with its facts and price."""
    body = talk.say(
        f"{line(item)}.\n\nQuer ver as fotos ou saber mais alguma coisa {of_it(item)}?",
        f"É esse aqui: {line(item)}.\n\nPosso te mandar fotos ou mais detalhes?",
        f"Boa escolha! {line(item)}.\n\nO que mais você quer saber {of_it(item)}?",
    )
    return Answer(
        rule="search.one",
        bubbles=(text(body, [item]),),
        considered=(item.car.id,),
        focus=item.car.id,
        pending=Pending.PHOTOS if item.car.fotos else None,
    )


def _found(talk: Talk, wish: Filters, found: list[Listing]) -> Answer:
    found = _likest_first(talk, wish, found)
    shown = _first_ones(wish, found)
    if len(shown) > 1 and _just_shown(talk, shown):
        return _the_same(talk, wish, found, shown)
    intro = _missing_models(talk, wish) or _intro(talk, wish, len(found), len(shown))
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
    r"(?:seu |sua )?(?:mais|menos|de menor|com menos) \w+"
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
    intro = talk.say(
        f"Esses {len(shown)} que te mostrei já são assim.{more}",
        f"Todos os {len(shown)} da lista acima servem.{more}",
        f"Os {len(shown)} que mandei já atendem a isso.{more}",
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
            "Quer que eu filtre por câmbio, ano ou cor?",
        ), None
    return talk.say(
        "Gostou de algum? Posso mandar fotos e mais detalhes.",
        "Qual deles chamou mais sua atenção?",
        "Quer saber mais de algum deles?",
    ), None


def _more(talk: Talk) -> Answer:
    """The next ones of the same wish."""
    wish = talk.state.filters.merged(talk.reading.filters)
    found = talk.stock.matching(wish)
    seen = {*talk.state.offered, *talk.state.seen}
    bodies = {item.body for item in map(talk.stock.get, talk.state.offered) if item is not None}
    rest = [item for item in found if item.car.id not in seen]
    if wish.sort is None:  # more of the kind that was shown comes first
        rest.sort(key=lambda item: item.body not in bodies)
    if not rest and found and wish != talk.state.filters:
        return _found(talk, wish, found)  # `não gostei. e vermelho?`
    if not rest:
        body = talk.say(
            "Com esse perfil, são esses mesmo que eu tenho. Quer que eu procure outro tipo de "
            "carro?",
            "Por enquanto não tenho outros assim. Posso buscar com outra faixa de preço ou modelo?",
        )
        return Answer(rule="search.no_more", bubbles=(text(body),), considered=())
    shown = rest[:SHOWN]
    intro = talk.say("Tenho mais estes:", "Olha estes outros:", "Mais opções pra você:")
    body = f"{intro}\n\n{bullets(shown)}\n\nAlgum desses te agrada?"
    return Answer(
        rule="search.more",
        bubbles=(offer(body, shown),),
        considered=tuple(item.car.id for item in rest),
        offered=tuple(item.car.id for item in shown),
        focus=rest[0].car.id if len(rest) == 1 else -1,
        filters=wish,
        aside=(intro,),
    )

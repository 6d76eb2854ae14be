"""Answers a wish for cars: what there is, or honestly that there is none. Called by `lucas`."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.filters import Exclude, Filters
from bot.grammar import ending, of_it
from bot.reading.data import Topic, topics
from bot.reading.references import Pointing
from bot.reading.text import fold
from bot.rules.compare import compared
from bot.rules.details import quoted
from bot.rules.focus import of_the_shown
from bot.rules.found import SHOWN, show
from bot.rules.nothing_found import cheapest, chosen_too_late, none_fits
from bot.rules.of_the_list import of_the_list
from bot.rules.talk import Answer, Talk, offer, text
from bot.rules.wishes import joined_wish, without_model
from bot.state import Pending
from bot.stock import Listing
from bot.wording import bullets, joined, line


def search(talk: Talk) -> Answer:
    """The cars that fit the wish of this conversation: up to five, of more than five four."""
    answer = compared(talk) or _one_of_the_shown(talk) or of_the_list(talk)
    return _by_wish(talk) if answer is None else answer


def _asks_for_others(talk: Talk) -> bool:
    reference = talk.reading.reference
    return reference is not None and reference.how is Pointing.OTHERS


def _one_of_the_shown(talk: Talk) -> Answer | None:
    """The car that is pointed at, or the next ones of the same wish."""
    others = _asks_for_others(talk)
    if others and talk.pointed and talk.target is not None:
        return one_car(talk, talk.target)  # `e a outra?` of two
    if others and talk.state.offered and not _new_limit(talk):
        return _more(talk)
    if talk.chosen is not None and talk.target is None:
        return chosen_too_late(talk, talk.chosen)
    one = talk.chosen is not None or _points_at_one(talk) or _named_by_price(talk)
    if one and talk.target is not None:
        return one_car(talk, talk.target)
    return None


def _named_by_price(talk: Talk) -> bool:
    reference = talk.reading.reference
    by_price = reference is not None and reference.how is Pointing.PRICE
    return by_price and bool(talk.reading.filters.model)


def _by_wish(talk: Talk) -> Answer:
    others = _asks_for_others(talk)
    wish = joined_wish(talk.reading, talk.state, talk.stock)
    if others and _only_shown(talk, talk.stock.matching(wish)):
        wish = without_model(wish, _before_his_eyes(talk))
    sifted = talk.stock.sifted(wish)
    found = _without_this(talk, sifted.found) if others else sifted.found
    if sifted.found and not found:
        return _no_more(talk)
    answer = _answer(talk, wish, found)
    return replace(answer, fell_out=sifted.fell_out)


def _before_his_eyes(talk: Talk) -> list[Listing]:
    ids = (*talk.state.offered, *((talk.state.focus,) if talk.state.focus else ()))
    return [item for item in map(talk.stock.get, ids) if item is not None]


def _only_shown(talk: Talk, found: list[Listing]) -> bool:
    """`outros automáticos até 70` after the one Versa: of no other model there would be none."""
    seen = {item.car.id for item in _before_his_eyes(talk)}
    return bool(talk.state.filters.model) and {item.car.id for item in found} <= seen


def _without_this(talk: Talk, found: list[Listing]) -> list[Listing]:
    """`outra picape`: not the one spoken of."""
    return [item for item in found if item.car.id != talk.state.focus]


def _new_limit(talk: Talk) -> bool:
    """`não tem mais? aumenta pra 110`: all that fit now, not the next ones of the old wish."""
    said = talk.reading.filters
    other_kind = bool(said.body) and said.body != talk.state.filters.body
    return (
        other_kind
        or said.exclude != Exclude()
        or (said.price_max or 0) > (talk.state.filters.price_max or 0)
    )


def _answer(talk: Talk, wish: Filters, found: list[Listing]) -> Answer:
    if not found and _asks_cheaper(talk):
        return cheapest(talk)
    if not found:
        return none_fits(talk, wish)
    asked = [topic for topic in topics() if topic.find and topic.name in talk.reading.topics]
    if asked:
        return _with_features(talk, wish, found, asked)
    return show(talk, wish, found)


def _asks_cheaper(talk: Talk) -> bool:
    reference = talk.reading.reference
    cheaper = reference is not None and reference.how is Pointing.CHEAPER
    return cheaper and bool(talk.state.offered)


def _with_features(talk: Talk, wish: Filters, found: list[Listing], asked: list[Topic]) -> Answer:
    """Features that are no column (4x4, 7 lugares) are looked for in the advertisements."""
    flat = talk.reading.text.flat
    speak = [item for item in found if all(_has(topic, item, flat) for topic in asked)]
    having = [item for item in speak if all(_so(topic, item, flat) for topic in asked)] or speak
    if having:
        return show(talk, wish, having)
    answer = show(talk, wish, found)
    what = joined([topic.label for topic in asked])
    if answer.offered == talk.state.offered:  # the list again would be no answer
        body = talk.say(
            f"Sobre {what} os anúncios não dizem nada. De qual deles você quer que eu confirme?",
            f"Os anúncios não falam sobre {what}. Me diz de qual deles e eu confirmo com a equipe.",
        )
        return replace(answer, rule="search.feature_unknown", bubbles=(text(body, found),))
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


def _so(topic: Topic, item: Listing, flat: str) -> bool:
    """Of the kind that is asked for: no black roof for who wants a sunroof."""
    said = fold(quoted(topic, item) or "")
    wanted = [kind for asked, kind in topic.kinds if asked.search(flat)]
    return all(kind.search(said) for kind in wanted)


def _points_at_one(talk: Talk) -> bool:
    """True when the turn is about one car already shown, not about a new wish."""
    reference = talk.reading.reference
    stated = talk.reading.filters.model_copy(update={"sort": None})
    if reference is not None and reference.how in (Pointing.OTHERS, Pointing.THAN):
        return False  # `outro suv, mas laranja`
    if of_the_shown(talk.reading, talk.state, talk.stock) is not None:
        return True
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


_IF_THERE = re.compile(
    r"\b(?:reservad[oa]|vendid[oa]|vendeu|vendeste|disponivel|ainda (?:tem|esta)|tem ainda)\b"
)


def one_car(talk: Talk, item: Listing) -> Answer:
    """One car with its facts and price; asked whether it is still there, that comes first."""
    this = "essa" if ending(item) == "a" else "esse"
    body = talk.say(
        f"{line(item)}.\n\nQuer ver as fotos ou saber mais alguma coisa {of_it(item)}?",
        f"É {this} aqui: {line(item)}.\n\nPosso te mandar fotos ou mais detalhes?",
        f"Aqui está: {line(item)}.\n\nO que mais você quer saber {of_it(item)}?",
    )
    if _IF_THERE.search(talk.reading.text.flat):
        body = f"Está disponível, sim! {line(item)}.\n\nPosso te mandar fotos ou mais detalhes?"
    return Answer(
        rule="search.one",
        bubbles=(text(body, [item]),),
        considered=(item.car.id,),
        focus=item.car.id,
        pending=Pending.PHOTOS if item.car.fotos else None,
    )


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
        return show(talk, wish, found)  # `não gostei. e vermelho?`
    if not rest:
        return _no_more(talk)
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


def _no_more(talk: Talk) -> Answer:
    """He has seen all that fit; the list and the wish stay."""
    body = talk.say(
        "Com esse perfil, são esses mesmo que eu tenho. Quer que eu procure outro tipo de carro?",
        "Por enquanto não tenho outros assim. Posso buscar com outra faixa de preço ou modelo?",
    )
    return Answer(rule="search.no_more", bubbles=(text(body),), considered=())

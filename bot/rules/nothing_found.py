"""Says honestly that no car fits, why, and what comes nearest. Called by `rules.search`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.grammar import ending, is_feminine, the_car, the_car_first
from bot.reading.intents import Intent
from bot.rules.alternatives import nearest, of_longer_name, what_differs
from bot.rules.talk import Answer, Talk, offer, text
from bot.stock import Listing, Stock
from bot.wording import bullets, joined


def cheapest(talk: Talk) -> Answer:
    """Nothing below what was shown: said so, the list and the wish stay."""
    body = talk.say(
        "Mais em conta que isso eu não tenho no momento. Quer que eu procure outro tipo de carro?",
        "Esses já são os mais em conta que temos assim. Posso buscar outro modelo pra você?",
    )
    return Answer(rule="search.cheapest", bubbles=(text(body),))


def none_fits(talk: Talk, wish: Filters) -> Answer:
    """Nothing fits: say so, say why when a car is sold or reserved, offer the nearest."""
    gone = _gone(talk, wish)
    longer = of_longer_name(wish, talk.stock) if gone is None else []
    near = longer or nearest(wish, talk.stock, gone, said_now=talk.reading.filters)
    parts = [_but_longer(talk, wish, longer) if longer else regret(talk, wish, gone)]
    if longer:
        parts += [bullets(longer), talk.say("Te interessa?", "Quer saber mais?")]
    elif near:
        other = what_differs(near, wish)
        other = f", {other}" if other else ""
        parts.append(
            talk.say(
                f"Como alternativa{other}, tenho:", f"De alternativa{other}, o mais próximo é:"
            )
        )
        parts.append(bullets(near))
        parts.append(talk.say("Algum te interessa?", "Quer saber mais de algum deles?"))
    later = _LATER.search(talk.reading.text.flat)
    if later:
        parts.append(
            talk.say(
                "Deixei anotado para a equipe te avisar se chegar.",
                "Anotei aqui: se chegar, um vendedor te avisa.",
            )
        )
    return Answer(
        rule="search.gone" if gone else "search.none",
        bubbles=(offer("\n\n".join(parts), near),),
        considered=(),
        offered=tuple(item.car.id for item in near),
        focus=near[0].car.id if len(near) == 1 else -1,
        filters=wish,
        aside=tuple(parts),
        to_check=f"avisar se chegar {_wished(wish)}" if later else None,
    )


def _but_longer(talk: Talk, wish: Filters, longer: list[Listing]) -> str:
    """`Onix não tenho agora, mas tenho o Onix Plus, que é sedã`: named as what it is."""
    missing = joined([model.spoken() for model in wish.model], "nem")
    others = joined(list(dict.fromkeys(_as_it_is(item, wish, talk.stock) for item in longer)))
    return talk.say(
        f"{missing} não tenho agora, mas tenho {others}:",
        f"No momento não temos {missing}, mas temos {others}:",
    )


_SHAPES = {"sedan": "sedã", "suv": "SUV", "picape": "picape", "van": "van", "perua": "perua"}


def _as_it_is(item: Listing, wish: Filters, stock: Stock) -> str:
    """The family, and its body where that is another one than of the family wished for."""
    named = f"{'a' if is_feminine(item) else 'o'} {item.family}"
    bodies = {stock.body_of(model) for model in wish.model}
    shape = _SHAPES.get(item.body or "")
    return f"{named} ({shape})" if shape and item.body not in bodies else named


_LATER = re.compile(
    r"\b(?:avis\w+|cham\w+|lembr\w+)\b.{0,25}\b(?:cheg\w+|aparec\w+|entr\w+|tiver|surgir|pintar)\b|"
    r"\b(?:quando|assim que|se) (?:chegar|aparecer|entrar|tiver|surgir|pintar)\b.{0,25}"
    r"\b(?:avis\w+|cham\w+|lembr\w+)\b"
)
"""`me avisa quando chegar uma Spin`."""


def _wished(wish: Filters) -> str:
    """The wish in words for a seller."""
    said = [*wish.brand, *(model.spoken() for model in wish.model), *wish.body, *wish.color]
    return " ".join(said) or "um carro como ele pediu"


def chosen_too_late(talk: Talk, item: Listing) -> Answer:
    """He chose from a list of ours, and the car went meanwhile: no other one takes its number."""
    ask = talk.say("Quer que eu procure um parecido?", "Posso te mostrar outras opções?")
    return Answer(
        rule="search.gone",
        bubbles=(text(f"{regret(talk, Filters(), item)} {ask}"),),
        focus=-1,
        aside=(ask,),
    )


_ALL_THE_SAME = re.compile(
    r"\b(?:mesmo assim|assim mesmo|ainda assim|pelo menos|se (?:el[ea]s?|a pessoa|o cliente|alguem|"
    r"o comprador|quem \w+|a venda|der) (?:\w+ )?(?:desist\w+|cair|errado|voltar|furar)|"
    r"fila|espera|lista)\b"
)
_WAITS = re.compile(r"\bavis\w+|\bfila\b|\bespera\b|\bdesist\w+|\bcair\b")
_IT = re.compile(r"\b(?:d?el[ea]|d?ess[ea]|d?aquel[ea])\b")
_OF_IT = frozenset(
    (Intent.PHOTOS, Intent.DETAILS, Intent.NEGOTIATE, Intent.BUY, Intent.UNCLEAR, Intent.SCHEDULE)
)


def still_gone(talk: Talk, main: Intent) -> Answer | None:
    """`manda foto dele mesmo assim` of the car that he was just told is sold: told again.

    None where another car is named or chosen, or where nothing sold was spoken of.
    """
    wish, flat = talk.state.filters, talk.reading.text.flat
    if main not in _OF_IT or talk.reading.filters.model or talk.state.last_intent is None:
        return None
    missed = talk.stock.missed(wish) if wish.model else []
    if not missed or talk.stock.matching(wish):
        return None
    others = talk.state.focus is not None or talk.target is not None
    bare = not others and (main is Intent.PHOTOS or bool(_IT.search(flat)))
    again = talk.state.last_intent == Intent.SEARCH and bool(_ALL_THE_SAME.search(flat))
    if talk.pointed or not (bare or again):
        return None
    ask = talk.say(
        "Por isso não passo fotos nem preço. Quer ver um parecido?",
        "Então não posso mostrar nem marcar visita. Te mostro outras opções?",
    )
    waits = bool(_WAITS.search(flat))
    note = " Deixei anotado para a equipe te avisar se voltar para a venda." if waits else ""
    return Answer(
        rule="search.still_gone",
        bubbles=(text(f"{regret(talk, wish, missed[0])}{note} {ask}"),),
        focus=-1,
        aside=(ask,),
        to_check=f"avisar se voltar {_wished(wish)}" if waits else None,
    )


def _gone(talk: Talk, wish: Filters) -> Listing | None:
    if not wish.model:
        return None
    named = Filters(model=wish.model, brand=wish.brand)
    missed = talk.stock.missed(wish) or talk.stock.missed(named)
    exact = talk.stock.missed(wish)
    if exact and (wish.year_min or wish.year_max or any(model.trim for model in wish.model)):
        return exact[0]  # `o Corolla 2022`: that one, whatever other Corolla there is
    # another one of the same model may still be for sale, only not as wished
    return missed[0] if missed and not talk.stock.matching(named) else None


def regret(talk: Talk, wish: Filters, gone: Listing | None) -> str:
    """What there is not, and why when it is sold or reserved."""
    if gone is not None and gone.car.status == "reserved":
        return talk.say(
            f"{the_car_first(gone)} está reservad{ending(gone)} no momento, então não posso "
            f"oferecer.",
            f"{the_car_first(gone)} não está disponível: está reservad{ending(gone)}.",
        )
    if gone is not None:
        return talk.say(
            f"{the_car_first(gone)} já foi vendid{ending(gone)}, não está mais disponível.",
            f"Infelizmente {the_car(gone)} já foi vendid{ending(gone)}.",
        )
    if wish.model or wish.brand:
        what = joined([*wish.brand, *(model.spoken() for model in wish.model)], "ou")
        if wish.brand and wish.model:
            what = f"{wish.brand[0]} {joined([model.spoken() for model in wish.model], 'ou')}"
        named = Filters(model=wish.model, brand=wish.brand)
        some = bool(talk.stock.matching(named))
        extra = _otherwise(wish) if some else ""
        return talk.say(
            f"No momento não temos {what}{extra}.",
            f"Infelizmente não tenho {what}{extra} agora.",
        )
    return talk.say(
        "No momento não temos nenhum carro com tudo isso que você pediu.",
        "Infelizmente não tenho nenhum assim agora.",
    )


_HOW = {
    "automatico": "automático", "manual": "manual", "hibrido": "híbrido", "eletrico": "elétrico",
    "diesel": "a diesel", "flex": "flex", "gasolina": "a gasolina", "etanol": "a álcool",
}  # fmt: skip


def _otherwise(wish: Filters) -> str:
    """What of this model is missing, where it is one word: `Yaris automático`; else in general."""
    plain = wish.model_copy(update={"color": (), "fuel": (), "transmission": None})
    said = [*wish.fuel, *([wish.transmission] if wish.transmission else [])]
    if not plain.only_names() or len(said) + len(wish.color) != 1:
        return " do jeito que você pediu"
    return f" {_HOW.get(said[0], said[0])}" if said else f" na cor {wish.color[0]}"

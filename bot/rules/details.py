"""Answers questions about one car from its columns and its advertisement. Called by `lucas`.

What is in neither is never guessed: it will be checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.grammar import ending, of_car, the_car_first
from bot.masking import masked
from bot.reading.data import Topic, topics
from bot.reading.text import fold
from bot.rules.talk import Answer, Talk, text
from bot.shown import OTHER
from bot.state import Pending
from bot.stock import Listing
from bot.wording import fuel, gearbox, joined, name, whole, years

WHOLE_ADVERT = "itens"
"""The topic that is answered with all that the advertisement says."""
_VERBS = ("está ", "é ", "tem ")
"""How what a column says begins: it goes on from the car's name."""
_ADVERT = "no anúncio consta"
_PIECES = re.compile(r"[.;,\n]+(?=\s|$)")


def details(talk: Talk) -> Answer:
    """Every question of the turn about the car that is meant."""
    asked = talk.reading.topics or talk.state.topics
    if only_of_store(asked):
        return _of_store(talk, asked)
    if talk.target is None:
        return _which_car(talk)
    if asked == (OTHER,):
        return _other(talk, talk.target)
    return about(talk, talk.target, asked)


_ASKED_KEPT = 80


def _other(talk: Talk, item: Listing) -> Answer:
    """A question that nothing here answers goes to the seller, in the buyer's own words."""
    body = talk.say(
        f"Isso não consta no que tenho aqui {of_car(item)}. Vou confirmar com a equipe e te "
        f"retorno.",
        f"Essa eu não sei te dizer {of_car(item)} sem perguntar: confirmo com a equipe e te falo.",
        f"Boa pergunta! Isso {of_car(item)} eu levo pro pessoal da loja e te respondo por aqui.",
        "Anotei a pergunta: o vendedor confirma isso com você por aqui.",
    )
    return Answer(
        rule="details.other",
        bubbles=(text(body, [item], priced=False),),
        considered=(item.car.id,),
        focus=item.car.id,
        to_check=f"“{' '.join(talk.raw.split())[:_ASKED_KEPT]}” ({name(item)})",
    )


def only_of_store(asked: tuple[str, ...]) -> bool:
    """True when all that is asked is the same for every car (do you deliver?)."""
    known = [topic.of_store for topic in topics() if topic.name in asked]
    return bool(known) and all(known)


def _of_store(talk: Talk, asked: tuple[str, ...]) -> Answer:
    """Nothing is known of it here: a seller is asked."""
    what = joined([topic.label for topic in topics() if topic.name in asked])
    body = talk.say(
        f"Sobre {what} eu vou confirmar com a equipe e te retorno por aqui.",
        f"Preciso confirmar com o pessoal da loja como fica {what}. Um vendedor te responde por "
        "aqui.",
    )
    cars = () if talk.target is None else (talk.target,)
    return Answer(
        rule="details.of_store",
        bubbles=(text(body, cars, priced=False),),
        considered=tuple(item.car.id for item in cars),
        focus=None if talk.target is None else talk.target.car.id,
        pending=talk.state.pending,
        to_check=what + (f" {of_car(talk.target)}" if talk.target else ""),
    )


def about(talk: Talk, item: Listing, asked: tuple[str, ...]) -> Answer:
    """What columns and advertisement say of these topics."""
    known: list[str] = []
    unknown: list[str] = []
    for topic in topics():
        if topic.name in asked:
            said = _said(topic, item)
            known += said
            unknown += [] if said else [topic.label]
    body = _body(talk, item, known, unknown)
    return Answer(
        rule="details.told" if known else "details.unknown",
        bubbles=(text(body, [item], priced=False),),
        considered=(item.car.id,),
        focus=item.car.id,
        topics=asked,
        to_check=f"{joined(unknown)} {of_car(item)}" if unknown else None,
    )


def _body(talk: Talk, item: Listing, known: list[str], unknown: list[str]) -> str:
    parts: list[str] = []
    if known:
        parts.append(_sentences(item, known))
    if unknown:
        what = joined(unknown)
        where = "" if known else f" {of_car(item)}"
        parts.append(
            talk.say(
                f"Sobre {what}{where} eu não tenho essa informação aqui, mas vou confirmar com a "
                "equipe.",
                f"Não quero te falar errado sobre {what}{where}: vou confirmar com o pessoal da "
                "loja.",
                f"Aqui não consta nada sobre {what}{where}. Vou confirmar com a equipe e te "
                "retorno.",
            )
        )
    if not parts:
        parts.append(f"O que você quer saber {of_car(item)}?")
    return " ".join(parts)


def _sentences(item: Listing, known: list[str]) -> str:
    """What columns say in one sentence about the car; what the advertisement says after it."""
    columns = [part for part in known if part.startswith(_VERBS)]
    others = [part for part in known if part not in columns]
    said = [f"{the_car_first(item)} {joined(columns)}."] if columns else []
    if others and not columns:
        others[0] = others[0].replace(_ADVERT, f"no anúncio {of_car(item)} consta", 1)
    said += [f"{part[0].upper()}{part[1:]}." for part in others]
    return " ".join(said)


def _said(topic: Topic, item: Listing) -> list[str]:
    column = _COLUMNS.get(topic.name)
    told = column(item) if column else None
    return [part for part in (told, quoted(topic, item)) if part]


def quoted(topic: Topic, item: Listing) -> str | None:
    """The pieces of the advertisement that speak of the topic, word for word."""
    if topic.find is None:
        return None
    pieces = [piece.strip() for piece in _PIECES.split(item.car.descricao or "")]
    if topic.name != WHOLE_ADVERT:
        pieces.append(item.car.modelo)
    hits = [piece for piece in pieces if piece and topic.find.search(_plain(piece))]
    # a plate in an advertisement is not passed on
    return masked(f"{_ADVERT} “{', '.join(dict.fromkeys(hits))}”") if hits else None


def _plain(piece: str) -> str:
    return re.sub(r"[^a-z0-9/]+", " ", fold(piece)).strip()


def _km(item: Listing) -> str | None:
    if item.car.km is not None:
        return f"está com {whole(item.car.km)} km"
    return None


def _color(item: Listing) -> str | None:
    if not item.car.cor:
        return None
    first, *rest = item.car.cor.strip().lower().split() or [""]
    if first in _AGREES and ending(item) == "a":
        first = f"{first[:-1]}a"
    return f"é {' '.join((first, *rest))}"


_AGREES = frozenset(("branco", "preto", "vermelho", "amarelo", "prateado", "dourado", "roxo"))
"""Colours that end as the car does: a Strada é branca."""


def _year(item: Listing) -> str | None:
    known = years(item)
    return f"é {known} (fabricação/modelo)" if known and "/" in known else known and f"é {known}"


def _gearbox(item: Listing) -> str | None:
    kind = gearbox(item)
    if kind == "automatizado":
        return "tem câmbio automatizado (não é um automático convencional)"
    return f"tem câmbio {kind}" if kind else None


def _fuel(item: Listing) -> str | None:
    kind = fuel(item)
    return f"é {_FUELS.get(kind, f'a {kind}')}" if kind else None


_FUELS = {"flex": "flex", "elétrico": "elétrico", "híbrido": "híbrido"}


def _plate(_: Listing) -> str | None:
    return "placa e documento a equipe mostra pessoalmente, na loja"


def _version(item: Listing) -> str | None:
    words = " ".join(shown for _, shown in item.trim_shown)
    return f"é da versão {words}" if words else None


def _body_of(item: Listing) -> str | None:
    return _BODIES.get(item.body or "")


_BODIES = {
    "hatch": "é hatch", "sedan": "é sedã", "suv": "é SUV", "picape": "é picape", "van": "é van",
    "perua": "é perua", "coupe": "é cupê",
}  # fmt: skip
_COLUMNS: dict[str, Callable[[Listing], str | None]] = {
    "placa": _plate,
    "km": _km,
    "versao": _version,
    "carroceria": _body_of,
    "cor": _color,
    "ano": _year,
    "cambio": _gearbox,
    "combustivel": _fuel,
}


def _which_car(talk: Talk) -> Answer:
    body = talk.say(
        "De qual carro você está falando? Me diz o modelo que eu confiro pra você.",
        "Qual é o carro? Com o modelo eu já te respondo.",
    )
    return Answer(
        rule="details.which_car",
        bubbles=(text(body),),
        pending=Pending.CAR,
        topics=talk.reading.topics,
    )

"""Ends the talk about a car that a sentence turns down; the next one is read by itself.

`ela achou esportivo demais kk. o da Honda tem IPVA pago?`, `esse não, tem automático?`. Called by
`lucas` before the turn is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.filters import Exclude, Filters, ModelWish
from bot.reading.data import attribute_words
from bot.reading.intents import Intent
from bot.reading.reader import Reading, read
from bot.reading.references import Pointing
from bot.reading.text import Text, Token, prepare
from bot.rules.focus import names_a_car
from bot.rules.told_by import words_of
from bot.rules.wishes import without_model
from bot.state import State
from bot.stock import Stock, fits

_ILL = (
    r"(?:fei[oa]s?|horrive(?:l|is)|horroros[oa]|grand(?:e|es|ao|ona)|pequen[oa]|pequenininh[oa]|"
    r"velh[oa]s?|rodad[oa]s?|esportiv[oa]|alt[oa]|baix[oa]|apertad[oa]|frac[oa]|beberr\w+|antig[oa]|"
    r"comprid[oa]|car[oa]s?|salgad[oa]|chamativ[oa]|ruim|simples|basic[oa]|pelad[oa]|esquisit[oa]|"
    r"estranh[oa]|larg[oa]|pesad[oa]|lent[oa]|manc[oa]|batid[oa]|sem graca)"
)
_TURNS_DOWN = re.compile(
    r"\bnao (?:quero|queria|gostei|gostou|gosto|curti|curtiu|curto|serve|rola|compensa|atende|"
    r"combina|cabe|da$|da (?:mais )?pra (?:mim|nos|gente)|vai (?:dar|rolar|servir)|"
    r"me (?:serve|agrad\w+|interess\w+|convenceu)|e (?:pra mim|pra gente|bem isso|o que))\b|"
    r"^(?:(?:ah|a|hum|hm|poxa|entao|bom|olha|e|mas|ih|vixe) )*(?:ess[ea]|est[ea]|el[ea]|aquel[ea])"
    r"(?: \w+)? nao$|"
    r"\bnem (?:a pau|pensar|de graca|morto|morta|ferrando|lascando|fal[ea])\b|\bdeus me livre\b|"
    r"\b(?:to|tou|estou) fora\b|\bfora d[ea] (?:questao|cogitacao)\b|\bpasso(?: longe)?$|"
    r"\bdispens[oa]\b|\bdescart\w+\b|\besquec[ea]\b|\bde jeito nenhum\b|\bquero nao\b|"
    rf"\b(?:(?!bom|boa|lind|bonit|top|legal|gostei|otim|show)\w+) demais\b|\b{_ILL}$|"
    rf"\b(?:muit[oa]|meio|bem|tao|bastante|um pouco|mto) {_ILL}\b|"
    rf"\bach(?:ei|ou|aram|amos|o)\b.{{0,25}}\b{_ILL}\b|\b(?:detest\w+|odi(?:ei|ou|o|a))\b"
)
_OF_A_PART = re.compile(r"\b(?:a cor|o cambio|o preco|o valor|o ano|a km|a quilometragem)\b")
"""`não curti a cor`: of this model another one will do."""
_GOES_ON = re.compile(r"^(?:(?:e|mas|entao|ai|ok) )+(?!tem\b|[oa]s?\b|d[oa]s?\b|ess|el[ea]\b|qu)")
_OTHER = re.compile(r"\b(?:[oa]|d[oa]|n[oa]) outr[oa]\b")
_WISHES = re.compile(
    r"\b(?:tem|teria|quero|queria|procur\w+|busco|mostra|algum\w*|ve|ver|outr[oa]s)\b|^outr[oa]\b"
)
_ONE = re.compile(r"^(?:(?:e|mas|entao|ja) )*(?:o|a|ess[ea]|aquel[ea]) ")
_TWO_PARTS = re.compile(r"[.,;!?\n:()|]\s*\w")
MIN_WORD = 3
_NOT_HERE = 0
"""Stands for a car that the dealer has not."""
_OF_ALL = frozenset(
    (
        "com", "que", "sem", "para", "pra", "por", "uma", "dos", "das", "nao", "mim", "carro",
        "muito", "bem", "mais", "tem", "meu", "minha", "esse", "essa", "ela", "ele", "bom", "boa",
        "uso", "demais", "quero", "novo", "nova",
    )
)  # fmt: skip
"""Words of any advertisement: they tell no car from another."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """What is left to be read, and the talk without what was turned down."""

    words: str
    state: State
    exclude: Exclude
    anew: bool
    """The rest is a wish for cars, not a word about one of those shown."""


def turned_down(raw: str, state: State, stock: Stock, *, this_year: int) -> SetAside | None:
    """The rest of the turn after the last sentence that turns a car down; None where none does.

    Only where that rest is a wish for cars, or points at another one of those shown.
    """
    if (state.focus is None and not state.offered) or not _TWO_PARTS.search(raw):
        return None
    text = prepare(raw)
    parts = _sentences(text)
    last = next((at for at in range(len(parts) - 2, -1, -1) if _is_no(parts[at])), None)
    if last is None:
        return None
    said = " ".join(map(_flat, parts[: last + 1]))
    before = read(said, stock, this_year=this_year)
    gone = _gone(before, said, state, stock)
    if not gone:
        return None
    rest = _rest(parts[last + 1 :], stock, this_year) + ("?" if text.question else "")
    anew = read(rest, stock, this_year=this_year)
    wish = state.filters
    if not _OF_A_PART.search(said):
        wish = _wish_left(state, gone, anew, stock)
        wish = wish.model_copy(update={"exclude": wish.exclude.joined(_no_more(gone, stock))})
    if gone == frozenset(state.offered) and names_a_car(anew, _unfocused(state), stock):
        gone = frozenset()  # which of them is turned down is not clear, the next one is
    after = _without(state, gone, wish, stock, rest=rest)
    points = _points(anew, after, stock)
    if not points and not _wishes_anew(anew):
        return None
    return SetAside(rest, after, before.filters.exclude, anew=not points)


def _rest(parts: list[list[Token]], stock: Stock, this_year: int) -> str:
    """From the first sentence on that says something (`viajo muito. e híbrido?`)."""
    while len(parts) > 1:
        first = read(_flat(parts[0]), stock, this_year=this_year)
        if first.intent is not Intent.UNCLEAR or first.reference or first.likes:
            break
        parts = parts[1:]
    return _GOES_ON.sub("tem ", _joined(parts))


def _unfocused(state: State) -> State:
    return state.model_copy(update={"focus": None})


def _sentences(text: Text) -> list[list[Token]]:
    parts: list[list[Token]] = []
    for token in text.tokens:
        if token.breaks or not parts:
            parts.append([])
        parts[-1].append(token)
    return parts


_LAUGHS = re.compile(r"(?: (?:k+|rs+|ha(?:ha)+|he(?:he)+|hein|viu|ne|ta|gente|poxa))+$")


def _is_no(part: Iterable[Token]) -> bool:
    return bool(_TURNS_DOWN.search(_LAUGHS.sub("", _flat(part))))


def _flat(part: Iterable[Token]) -> str:
    return " ".join(token.text for token in part)


def _joined(parts: Iterable[Iterable[Token]]) -> str:
    return ", ".join(map(_flat, parts))


def _gone(before: Reading, said: str, state: State, stock: Stock) -> frozenset[int]:
    """The cars that are turned down: named, told by a word of theirs, else the one spoken of."""
    shown = [item for item in map(stock.get, state.offered) if item is not None]
    named = before.filters.model or before.filters.exclude.model
    if named:
        known = stock.matching(Filters(model=named))
        return frozenset(item.car.id for item in known) or frozenset((_NOT_HERE,))
    words = [word for word in said.split() if len(word) >= MIN_WORD and word not in _OF_ALL]
    for told in (words, [attribute_words().get(word, ("", word))[1] for word in words]):
        meant = frozenset(item.car.id for item in shown if words_of(item).intersection(told))
        if meant and len(meant) < len(shown):
            return meant
    return frozenset(state.offered if state.focus is None else (state.focus,))


def _no_more(gone: frozenset[int], stock: Stock) -> Exclude:
    """The models of which he has turned down every car."""
    families = {item.family for item in map(stock.get, gone) if item is not None}
    models = (ModelWish(family=family) for family in sorted(families))
    return Exclude(
        model=tuple(
            one
            for one in models
            if all(item.car.id in gone for item in stock.matching(Filters(model=(one,))))
        )
    )


def _wish_left(state: State, gone: frozenset[int], anew: Reading, stock: Stock) -> Filters:
    """The wish, but for a model of which there is no other car: then its kind, if there is one."""
    wish = state.filters
    others = [item for item in stock.matching(Filters(model=wish.model)) if item.car.id not in gone]
    if not wish.model or others:
        return wish
    if not state.broader.empty():
        return state.broader
    of_its_kind = without_model(wish, [item for item in map(stock.get, gone) if item is not None])
    if stock.matching(of_its_kind.merged(anew.filters)):
        return of_its_kind
    return without_model(wish, [])


def _without(
    state: State, gone: frozenset[int], wish: Filters, stock: Stock, *, rest: str
) -> State:
    """The talk without these cars."""
    left = tuple(car for car in state.offered if car not in gone)
    if not left and _OTHER.search(rest):
        left = tuple(car for car in state.seen if car not in gone and stock.get(car))[:1]
    return state.model_copy(
        update={"focus": None, "offered": left, "filters": wish, "pending": None}
    )


_MAY_POINT = frozenset((Intent.SEARCH, Intent.DETAILS, Intent.PHOTOS, Intent.UNCLEAR))


def _points(rest: Reading, after: State, stock: Stock) -> bool:
    """At one of the cars that are left."""
    if rest.intent not in _MAY_POINT:
        return False
    if _OTHER.search(rest.text.flat) and len(after.offered) == 1:
        return True
    how = None if rest.reference is None else rest.reference.how
    if how in (Pointing.CHEAPER, Pointing.THAN, Pointing.THIS, Pointing.OTHERS):
        return False
    if not after.offered or names_a_car(rest, after, stock):
        return bool(after.offered)
    said = rest.filters.model_copy(update={"sort": None})
    shown = [item for item in map(stock.get, after.offered) if item is not None]
    alike = sum(fits(item, said) for item in shown)
    return alike == 1 and not said.empty() and bool(_ONE.match(rest.text.flat))  # `o da VW`


def _wishes_anew(rest: Reading) -> bool:
    """For cars by what is said now; `tem garantia?` asks on about the one that is too dear."""
    how = None if rest.reference is None else rest.reference.how
    if how in (Pointing.CHEAPER, Pointing.THAN, Pointing.THIS) or rest.filters.empty():
        return False
    wishes = how is Pointing.OTHERS or _WISHES.search(rest.text.flat)
    return rest.intent in (Intent.SEARCH, Intent.DETAILS) and bool(wishes)

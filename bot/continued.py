"""Reads what only goes on with the wish before it (`e o Plus?`, `cabine dupla`). By `context`."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.filters import Exclude, Filters, ModelWish
from bot.reading.data import attribute_words
from bot.reading.intents import Intent
from bot.reading.lexicon import NameKind
from bot.reading.reader import Reading
from bot.reading.text import compact
from bot.state import State
from bot.stock import Stock

_GOES_ON = re.compile(
    r"(?P<lead>(?:e|mas|hum+|hm+|entao|tem|teria|nao tem|voces tem) )*"
    r"(?P<article>(?:o|a|do|da|no|na|um|uma) )?(?:(?:modelo|versao) )?(?P<word>[a-z0-9]+)"
    r"(?: (?:tambem|tem|voces tem|tem ai))*"
)


def continued(reading: Reading, state: State, stock: Stock) -> Reading:
    """The reading with the model that is meant: the one spoken of, with this word added to it."""
    before = state.filters
    cabin = _CABIN.search(reading.text.flat)
    wished = not reading.text.question or bool(reading.filters.body)
    if cabin is not None and not reading.filters.model and wished:
        return _by_cabin(reading, before, _CABINS[cabin[1]], stock)
    if reading.filters.model or len(before.model) != 1:
        return reading
    match = _GOES_ON.fullmatch(reading.text.flat)
    if match is None or not (match["lead"] or match["article"]):
        return reading
    only_and = (match["lead"] or "").strip() == "e"
    if match["word"] in attribute_words() and not match["article"] and not only_and:
        return reading  # `tem hatch?` is a wish for any of them
    meant = _longer(before.model[0].family, match["word"], stock)
    if meant is None:
        return reading
    wish = before.model_copy(update={"model": (meant,), "sort": None})
    wish = _merged(wish, reading.filters)
    if not reading.filters.color and not stock.matching(wish):
        wish = wish.model_copy(update={"color": ()})  # the colour was of the other model
    return replace(reading, filters=wish, intents=(Intent.SEARCH,))


_CABIN = re.compile(r"\bcabine (dupla|simples)\b(?! ou\b)")
_CABINS = {"dupla": "cd", "simples": "cs"}


def _by_cabin(reading: Reading, before: Filters, cabin: str, stock: Stock) -> Reading:
    """`picape cabine dupla` names no model: any that has this cabin is meant."""
    wanted = {one.family for one in before.model} or {item.family for item in stock.offered}
    having = sorted({item.family for item in stock.offered if cabin in item.trim} & wanted)
    if not having:
        return reading
    models = tuple(
        ModelWish(family=family, trim=(stock.trims(family)[cabin],)) for family in having
    )
    wish = before.merged(reading.filters).model_copy(update={"model": models})
    intents = (Intent.SEARCH,) if reading.intent is Intent.UNCLEAR else reading.intents
    return replace(reading, filters=wish, intents=intents)


_ALLOWS = re.compile(
    r"\b(?:pode|podem|poderia|serve|tambem|aceito|libera|liberad[oa]|volta|inclui|bota|poe|coloca|"
    r"deixa|tudo bem|nao me importo|nao tem problema|entra|vale|topo|relevo|considero)\b"
)
_ONLY = re.compile(r"\b(?:so|somente|apenas|agora quero|tem que ser)\b")
_EXCLUDED = ("brand", "color", "fuel", "body", "model")


def allowed_again(reading: Reading, state: State) -> Reading:
    """`branco pode também` after `menos branco`: no longer ruled out, and not required either."""
    flat, said = reading.text.flat, reading.filters
    if not _ALLOWS.search(flat) or _ONLY.search(flat) or reading.text.question:
        return reading
    before = state.filters.exclude
    back = {
        key: tuple(one for one in getattr(said, key) if one in getattr(before, key))
        for key in _EXCLUDED
    }
    if not any(back.values()):
        return reading
    kept = {key: tuple(one for one in getattr(said, key) if one not in back[key]) for key in back}
    plain = said.model_copy(update=kept)
    meant = replace(reading, filters=plain, allowed=said.model_copy(update={"exclude": Exclude()}))
    return replace(meant, intents=(Intent.SEARCH,), reference=None, topics=())


def _longer(family: str, word: str, stock: Stock) -> ModelWish | None:
    """Onix and `plus`: Onix Plus; HB20 and `sedan`: HB20S; Onix and `premier`: with this trim."""
    name = stock.lexicon.name(compact(family + word))
    if name is not None and name.kind is NameKind.FAMILY:
        return ModelWish(family=name.value)
    shorter = _shorter(family, word, stock)
    if shorter is not None:
        return shorter
    shown = stock.trims(family).get(word)
    return None if shown is None else ModelWish(family=family, trim=(shown,))


def _shorter(family: str, word: str, stock: Stock) -> ModelWish | None:
    """Yaris Sedan and `hatch`: the Yaris; Onix Plus and `hatch`: the Onix."""
    key, body = attribute_words().get(word, ("", ""))
    begin = stock.lexicon.family(" ".join(family.split()[:-1])) if key == "body" else None
    return ModelWish(family=begin.name) if begin is not None and begin.body == body else None


def _merged(wish: Filters, said: Filters) -> Filters:
    """Of what was said now the body is already in the name."""
    return wish.merged(said.model_copy(update={"body": ()}))

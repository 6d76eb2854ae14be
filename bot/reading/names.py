"""Finds the brands and models that are spoken of in a text. Called by `reading.reader`."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol

from bot.filters import ModelWish
from bot.reading.data import attribute_words, plain_words
from bot.reading.lexicon import MAX_NAME_TOKENS, Lexicon, Name, NameKind
from bot.reading.owners import is_exchanged, is_his, is_of_kin, is_told, was_his
from bot.reading.tails import longer
from bot.reading.text import Text, compact

_AND_ONE = re.compile(r"\be (?:mais )?(?:um|uma)$")  # `tenho um Civic 2014 e um Gol`
_OWN_ENDS = re.compile(
    r"^(?:quero|queria|troca|trocar|dar|da|no|na|nesse|nessa|naquele|por|pelo|pela|pra|e quero|em|"
    r"num|numa|"
    r"pego|pegar|interesse|gostaria|vender|agora|preciso|precisando|procur\w+|busc\w+|hoje|"
    r"e (?:preciso|procuro|busco|agora|estou|to|queria)|estou (?:procur|atras|busc|quer)\w*)\b"
)
_LIKE = re.compile(
    r"\b(?:tipo|estilo|parecido com|parecida com|similar a|semelhante a|igual a|igual|como|padrao|"
    r"nivel)(?: (?:um|uma|o|a|do|da))*$"
)
_NUMERIC_OK = re.compile(
    r"^$|\b(?:tem|o|um|uma|do|da|no|na|ess[ea]|aquel[ea]|dess[ea]|peugeot|bmw|fiat|e|ou|ver|quero|"
    r"queria|procuro|cade|aceita)$|(?<![0-9] )(?<!mil )\ba$"
)
_NUMERIC_NOT = re.compile(
    r"^(?:mil|km|k|reais|pra (?:cima|ca|baixo)|em diante|ou mais|a [0-9]|ate|x|vezes|cv)\b"
)


class Trims(Protocol):
    """What this module needs of a stock (which needs the lexicon: no import back)."""

    lexicon: Lexicon

    def trims(self, family: str) -> dict[str, str]:
        """Trim words of a family: compared -> shown."""
        ...


class Mention(NamedTuple):
    """A name in the text: tokens[start:end]."""

    start: int
    end: int
    name: Name
    trim: tuple[str, ...] = ()
    own: bool = False
    """The buyer's own car, or one that he had."""
    former: bool = False
    """He has it no more."""
    like: bool = False
    """Only a comparison (tipo um Onix)."""
    negated: bool = False

    def wish(self) -> ModelWish:
        """The model that is named."""
        return ModelWish(family=self.name.value, trim=self.trim)


def find_names(text: Text, stock: Trims) -> list[Mention]:
    """All names of cars, left to right, with their trim and whose car it is."""
    found: list[Mention] = []
    index = 0
    while index < len(text.tokens):
        mention = _longest(text, index, stock.lexicon) or _guessed(text, index, stock.lexicon)
        if mention is None:
            index += 1
            continue
        mention = _with_trim(text, _whole(text, mention, stock), stock)
        former = _is_former(text, mention, found)
        found.append(
            mention._replace(
                own=former or _is_own(text, mention, found),
                former=former,
                like=_is_like(text, mention, found),
            )
        )
        index = mention.end
        other = _other_trim(text, found[-1], stock)
        if other is not None:
            found.append(other)
            index = other.end
    return _without_everyday(found)


def _whole(text: Text, mention: Mention, stock: Trims) -> Mention:
    """Not the shorter name where a longer one is meant."""
    if mention.name.kind is not NameKind.FAMILY:
        return mention
    family = mention.name.value
    meant = longer(text, mention.end, family, stock.lexicon, stock.trims(family))
    return mention if meant is None else mention._replace(name=meant[0], end=meant[1])


_JOINS = ("e", "ou", "pra", "com", "vs", "versus", "x")


def _other_trim(text: Text, mention: Mention, stock: Trims) -> Mention | None:
    """`HB20 Vision ou Comfort Plus`: a second trim of the same family, without its name."""
    start = mention.end
    if not mention.trim or start >= len(text.tokens) or text.tokens[start].text not in _JOINS:
        return None
    article = re.match(r"\w+ (?:o|a)\b", text.after(start, 2))
    if text.tokens[start].text == "e" and not article:
        return None  # `o Audace é turbo?`
    start += 2 if article else 1
    if start >= len(text.tokens) or text.tokens[start].breaks:
        return None
    _, shown = _trim_at(text, start, stock.trims(mention.name.value))
    if shown is None or shown in mention.trim:
        return None
    return _with_trim(text, mention._replace(start=start, end=start, trim=()), stock)


_OWN_WORDS = ("tem", "com", "por", "que")
"""Words that begin no name: `tem pra` is no Tempra."""


def _longest(text: Text, index: int, lexicon: Lexicon) -> Mention | None:
    tokens = text.tokens
    limit = min(len(tokens), index + MAX_NAME_TOKENS)
    end = index + 1
    if tokens[index].text in _OWN_WORDS:
        limit = end
    while end < limit and not tokens[end].breaks:
        end += 1
    for stop in range(end, index, -1):
        key = "".join(token.text for token in tokens[index:stop])
        name = lexicon.name(key)
        if name is not None and not (key.isdigit() and not _numeric_name(text, index, stop)):
            return Mention(index, stop, name)
    return None


def _numeric_name(text: Text, index: int, stop: int) -> bool:
    """208 is a Peugeot in `tem 208?` and money in `ate 208 mil`."""
    before = text.before(index, 2)
    return bool(_NUMERIC_OK.search(before)) and not _NUMERIC_NOT.match(text.after(stop))


def _guessed(text: Text, index: int, lexicon: Lexicon) -> Mention | None:
    token = text.tokens[index].text
    if not token[0].isalpha() or token in plain_words() or token in attribute_words():
        return None
    name = lexicon.guess(token) or _small(token, lexicon)
    return _lengthened(text, index, name, lexicon) if name is not None else None


def _lengthened(text: Text, index: int, guessed: Name, lexicon: Lexicon) -> Mention:
    """`dolfin mini`: what was guessed may be only the beginning of a longer name."""
    end, name = index + 1, guessed
    key = compact(guessed.value)
    for stop in range(index + 1, min(len(text.tokens), index + MAX_NAME_TOKENS)):
        if text.tokens[stop].breaks:
            break
        key += text.tokens[stop].text
        longer = lexicon.name(key)
        if longer is not None:
            end, name = stop + 1, longer
    return Mention(index, end, name)


_DIMINUTIVE = re.compile(r"(?P<stem>[a-z0-9]{2,}?)(?:z?inh[oa]s?|zi[nm]|z?ao)")


_ENDINGS = ("", "o", "a", "e", "i", "io", "ix")


def _small(token: str, lexicon: Lexicon) -> Name | None:
    """Made small or big: foxinho, saveirinha, uninho, fuscao."""
    small = _DIMINUTIVE.fullmatch(token)
    if small is None:
        return None
    names = (lexicon.name(small["stem"] + ending) for ending in _ENDINGS)
    found = next((name for name in names if name is not None), None)
    return None if found is None or found.everyday else found


def _with_trim(text: Text, mention: Mention, stock: Trims) -> Mention:
    """Takes the trim words that follow a family, past years, colours and the like."""
    if mention.name.kind is not NameKind.FAMILY:
        return mention
    known = stock.trims(mention.name.value)
    trim: list[str] = []
    end, index = mention.end, mention.end
    while index < len(text.tokens) and not text.tokens[index].breaks:
        step, shown = _trim_at(text, index, known)
        if shown:
            trim.append(shown)
            end = index + step if index == end else end
        elif not _is_beside(text.tokens[index].text):
            break
        index += step
    cabin = _CABIN_OF.search(text.before(mention.start, 4))
    if cabin is not None and known.keys() & {"cd", "cs"}:  # `a cabine dupla da Strada`
        trim.append("CD" if cabin[1] == "dupla" else "CS")
    return mention._replace(trim=tuple(dict.fromkeys(trim)), end=end)


_CABIN_OF = re.compile(r"\bcabine (dupla|simples) d[ao]$")


def _trim_at(text: Text, index: int, known: dict[str, str]) -> tuple[int, str | None]:
    token = text.tokens[index].text
    ahead = text.after(index, 3)
    if re.match(r"cabine dupla\b", ahead) and "cd" in known:
        return 2, known["cd"]
    if re.match(r"cabine simples\b", ahead) and "cs" in known:
        return 2, known["cs"]
    if re.match(r"cabine (?:dupla|simples)\b(?! ou\b)", ahead) and known.keys() & {"cd", "cs"}:
        return 2, "CD" if "dupla" in ahead else "CS"  # there is only the other one
    if token.replace(",", ".") in known:
        return 1, known[token.replace(",", ".")]
    parts = ahead.split()
    for count in (2, 3):
        joined = "-".join(parts[:count])
        if len(parts) >= count and joined in known:
            return count, known[joined]
    return 1, None


def _is_beside(word: str) -> bool:
    """Words that stand between a family and its trim."""
    return (
        word == "de"
        or word in attribute_words()
        or bool(re.fullmatch(r"(?:19|20)?[0-9]{2}(?:/[0-9]+)?|ano", word))
    )


def _is_own(text: Text, mention: Mention, found: list[Mention]) -> bool:
    start = _whole_start(mention, found)
    before = text.before(start, 4)
    another = bool(found) and found[-1].own and _AND_ONE.search(before)
    kin = is_of_kin(text.before(start), text.after(mention.end))
    exchanged = is_exchanged(text.before(start, 10), text.after(mention.end, 8))
    told = is_told(text.before(start, 12, cross=True))
    return bool(another or is_his(before) or kin or exchanged or told)


def _is_former(text: Text, mention: Mention, found: list[Mention]) -> bool:
    return was_his(text.before(_whole_start(mention, found)))


def _whole_start(mention: Mention, found: list[Mention]) -> int:
    """Where the name begins, its brand included."""
    beside = found and found[-1].end == mention.start and found[-1].name.kind is NameKind.BRAND
    return found[-1].start if beside else mention.start


def _is_like(text: Text, mention: Mention, found: list[Mention]) -> bool:
    if found and found[-1].like and text.before(mention.start, 1) in ("e", "ou"):
        return found[-1].end == mention.start - 1  # `tipo Mobi e Kwid`
    return bool(_LIKE.search(text.before(mention.start, 4)))


def own_tokens(text: Text, mentions: list[Mention]) -> frozenset[int]:
    """Tokens that describe the buyer's own car: from its name to where the wish begins."""
    covered: set[int] = set()
    starts = {mention.start for mention in mentions}
    for mention in mentions:
        if not mention.own:
            continue
        index = mention.start
        while index < len(text.tokens):
            if index >= mention.end and (
                _OWN_ENDS.match(_two_words(text, index)) or index in starts
            ):
                break
            covered.add(index)
            index += 1
    return frozenset(covered)


def _two_words(text: Text, index: int) -> str:
    return " ".join(token.text for token in text.tokens[index : index + 2])


def _without_everyday(found: list[Mention]) -> list[Mention]:
    """Drops names that are ordinary words, unless their brand stands beside them."""
    kept: list[Mention] = []
    for mention in found:
        beside = (
            bool(kept) and kept[-1].name.kind is NameKind.BRAND and kept[-1].end == mention.start
        )
        if not mention.name.everyday or beside:
            kept.append(mention)
    return kept

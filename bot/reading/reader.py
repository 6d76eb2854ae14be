"""Reads what a buyer wrote in one turn: intents, filters, references, questions. Called by `lucas`.

Knows the words and the names in the stock; knows nothing of the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.filters import Exclude, Filters, ModelWish
from bot.reading.amounts import Amounts, read_amounts
from bot.reading.asked import asked_topics
from bot.reading.data import attribute_words, plain_words
from bot.reading.freed import freed
from bot.reading.intents import Intent, find_intents
from bot.reading.lexicon import NameKind, attribute_slips
from bot.reading.names import Mention, Trims, find_names, own_tokens
from bot.reading.negation import Verdict, verdict
from bot.reading.own_described import own_described
from bot.reading.own_years import own_years
from bot.reading.references import Reference, find_reference
from bot.reading.sorting import find_sort
from bot.reading.text import Text, prepare
from bot.reading.when import When, find_when
from bot.reading.wished import without_asked

NOTHING = Filters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a turn says."""

    text: Text
    intents: tuple[Intent, ...]
    """All that were found, the one that counts first. Never empty."""
    filters: Filters
    free: frozenset[str]
    """Filter keys that the buyer no longer cares about (tanto faz a cor)."""
    topics: tuple[str, ...]
    reference: Reference | None
    own_car: str | None
    """The buyer's own car, in his words (Celta 2010 ...), if he speaks of it."""
    offers: tuple[int, ...]
    """Prices that the buyer offers, in reais."""
    instalments: bool
    """Something is said of instalments."""
    months: int | None
    """In so many instalments (48x)."""
    down_payment: int | None
    """What the buyer would pay at once, in reais; 0: nothing."""
    when_said: When
    """The day and the time that are said, if any."""
    likes: tuple[ModelWish, ...]
    """Models that are only compared with: tipo um Civic."""
    loose: tuple[tuple[float, bool], ...]
    """Numbers without a role: (value, said in thousands)."""
    allowed: Filters = NOTHING
    """What was ruled out before and may be now (set by `continued`)."""

    @property
    def intent(self) -> Intent:
        """The one intent that counts."""
        return self.intents[0]

    def has(self, intent: Intent) -> bool:
        """True when this intent was found, first or not."""
        return intent in self.intents


def read(raw: str, stock: Trims, *, this_year: int) -> Reading:
    """Understand the text of a turn: its messages joined by line breaks. Total for every text."""
    text = prepare(raw)
    names = find_names(text, stock)
    kinds = _kinds(text, names)
    names = _judged(text, names, kinds)
    own_named = own_tokens(text, names)
    starts = frozenset(name.start for name in names)
    told = own_tokens(text, [name for name in names if not name.former])
    described = own_years(text) | own_described(text, starts)
    own = own_named | described
    named = frozenset(index for name in names for index in range(name.start, name.end))
    amounts = read_amounts(text, named=named, own=own, this_year=this_year)
    attributes, free = _attributes(text, named | own, kinds)
    filters = _filters(text, names, amounts, attributes, kinds)
    asked = asked_topics(text, names, free)
    when = find_when(text)
    intents = find_intents(
        text, filters, asked, amounts,
        own=bool(told | described), when=when.says_something(), freed=bool(free),
    )  # fmt: skip
    return Reading(
        text=text,
        intents=intents,
        filters=without_asked(filters, intents, asked, text.flat),
        free=free,
        topics=asked,
        reference=find_reference(text, amounts),
        own_car=" ".join(text.tokens[index].text for index in sorted(told)) or None,
        offers=tuple(amounts.offers),
        instalments=amounts.instalments,
        months=amounts.months,
        down_payment=_down_payment(text, amounts),
        when_said=when,
        likes=tuple(
            name.wish() for name in names if name.like and name.name.kind is NameKind.FAMILY
        ),
        loose=tuple((value, thousands) for _, value, thousands in amounts.loose),
    )


def _kinds(text: Text, names: list[Mention]) -> dict[int, str]:
    """What each token names: color, body, brand, family, ..."""
    kinds = {
        index: hit[0]
        for index, token in enumerate(text.tokens)
        if (hit := attribute_words().get(token.text)) is not None
    }
    for name in names:
        kinds |= dict.fromkeys(range(name.start, name.end), name.name.kind.value)
    return kinds


def _judged(text: Text, names: list[Mention], kinds: dict[int, str]) -> list[Mention]:
    return [
        name._replace(negated=verdict(text, name.start, name.end, kinds) is Verdict.UNWANTED)
        for name in names
    ]


def _attributes(
    text: Text, taken: frozenset[int], kinds: dict[int, str]
) -> tuple[list[tuple[str, str, Verdict]], frozenset[str]]:
    """Colours, fuels, gearboxes and bodies: (key, value, wanted or not)."""
    found: list[tuple[str, str, Verdict]] = []
    free = freed(text)
    for index, token in enumerate(text.tokens):
        hit = None if index in taken else _attribute(token.text)
        if hit is None or _is_a_part(text, index):
            continue
        judged = verdict(text, index, index + 1, kinds)
        if judged is Verdict.FREE:
            free.add(hit[0])
        else:
            found.append((*hit, judged))
    return found, frozenset(free)


_PART_BEFORE = re.compile(
    r"\b(?:vidros?|travas?|direcao|retrovisor(?:es)?|bancos?|espelhos?|teto|freio|piloto|porta "
    r"malas|"
    r"ar|farol|farois|limpador)(?: e \w+)?$"
)
_PERSON_BEFORE = re.compile(r"\b(?:meu|seu|nosso|um|o)$")
_AUTO_OF = re.compile(r"auto (?:escola|peca|pecas|center|eletrica|posto|estima)\b")
_BOOK_AFTER = re.compile(r"manual d[oea] (?:proprietario|carro|veiculo|usuario|dono)")


def _is_a_part(text: Text, index: int) -> bool:
    """`vidro elétrico`, `piloto automático`, `manual do proprietário`: of a part, not of the "
    "car."""
    if text.tokens[index].text == "auto":
        return not _after_a_wish(text, index) or bool(_AUTO_OF.match(text.after(index)))
    if text.tokens[index].text == "mecanico":  # `meu mecânico` is a person
        return bool(_PERSON_BEFORE.search(text.before(index, 2)))
    return bool(_PART_BEFORE.search(text.before(index, 3)) or _BOOK_AFTER.match(text.after(index)))


def _after_a_wish(text: Text, index: int) -> bool:
    """`suv auto`, `2020 auto` are gearboxes; in the south a car is `um auto`."""
    before = text.before(index, 1)
    return before in attribute_words() or bool(re.fullmatch("[0-9]{2,4}", before))


def _attribute(token: str) -> tuple[str, str] | None:
    known = attribute_words()
    hit = known.get(token)
    if hit is None and token not in plain_words():
        meant = attribute_slips().find(token)
        hit = known.get(meant) if meant is not None else None
    return hit


def _filters(
    text: Text,
    names: list[Mention],
    amounts: Amounts,
    attributes: list[tuple[str, str, Verdict]],
    kinds: dict[int, str],
) -> Filters:
    wanted: dict[str, list[str]] = {"color": [], "fuel": [], "body": [], "transmission": []}
    unwanted: dict[str, list[str]] = {"color": [], "fuel": [], "body": [], "transmission": []}
    for key, value, judged in attributes:
        (unwanted if judged is Verdict.UNWANTED else wanted)[key].append(value)
    for key, values in unwanted.items():  # `menos prata, que prata parece táxi`
        wanted[key] = [value for value in wanted[key] if value not in values]
    spoken = [name for name in names if not name.own and not name.like]
    return Filters(
        brand=_values(spoken, NameKind.BRAND, negated=False),
        model=_models(spoken, negated=False),
        color=_unique(wanted["color"]),
        fuel=_unique(wanted["fuel"]),
        body=_unique(wanted["body"]),
        transmission=_gearbox(wanted["transmission"], unwanted["transmission"]),
        price_min=amounts.price_min,
        price_max=amounts.price_max,
        year_min=amounts.year_min,
        year_max=amounts.year_max,
        mileage_max=amounts.mileage_max,
        sort=find_sort(text),
        exclude=Exclude(
            brand=_values(spoken, NameKind.BRAND, negated=True),
            model=_models(spoken, negated=True),
            color=_unique(unwanted["color"]),
            fuel=_unique(unwanted["fuel"]),
            body=_unique(unwanted["body"]),
            engine=_unique(
                value
                for index, value in amounts.engines
                if verdict(text, index, index + 1, kinds) is Verdict.UNWANTED
            ),
        ),
    )


_NO_DOWN_PAYMENT = re.compile(
    r"\b(?:sem|nao (?:tenho|der|dar|desse|tiver|vou dar|quero dar|"
    r"posso dar)) (?:dar )?(?:nada (?:de|pra) )?(?:nenhuma )?entrada\b|"
    r"\bentrada zero\b|\b100 ?%"
)


def _down_payment(text: Text, amounts: Amounts) -> int | None:
    if amounts.down_payment is None and _NO_DOWN_PAYMENT.search(text.flat):
        return 0
    return amounts.down_payment


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _values(names: list[Mention], kind: NameKind, *, negated: bool) -> tuple[str, ...]:
    return _unique(
        name.name.value for name in names if name.name.kind is kind and name.negated is negated
    )


def _models(names: list[Mention], *, negated: bool) -> tuple[ModelWish, ...]:
    return tuple(
        dict.fromkeys(
            name.wish()
            for name in names
            if name.name.kind is NameKind.FAMILY and name.negated is negated
        )
    )


def _gearbox(wanted: list[str], unwanted: list[str]) -> str | None:
    """There are two gearboxes: not the one is the other; both are none."""
    if wanted:
        return wanted[0] if len(set(wanted)) == 1 else None
    if len(set(unwanted)) == 1:
        return "manual" if unwanted[0] == "automatico" else "automatico"
    return None

"""Reads what is said about the cars just shown: is it this one, which is best, and in another
colour? Called by `context`."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.answers import with_intent
from bot.filters import Exclude, Filters, ModelWish, Sort
from bot.reading.data import attribute_words
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.reading.references import Pointing, Reference
from bot.reading.sorting import find_sort
from bot.rules.focus import find_target
from bot.state import State
from bot.stock import Listing, Stock, car_tests

OTHER = "outra"
"""The topic of a question about a car that belongs to none that is known."""
WORDS_ASKED = 2
_SWAPPED = ("transmission", "fuel", "color", "body")
_LEADS = re.compile(r"(?:e|mas|ou|agora|entao|tem|teria|e se (?:for|fosse)|nao tem|so se for)\b")
_ONE_CAR = re.compile(r"\b(?:ess[ea]|el[ea]|d(?:el|ess)[ea]|est[ea]|aquel[ea]|n(?:el|ess)[ea])\b")
_WHICH_HAS = re.compile(r"(?:e )?(?:qual|quais|algum|alguma)(?: d(?:el|ess)[ea]s)?(?: que)? tem")
_ORDERED_BY: dict[Sort | None, frozenset[str]] = {
    Sort.MILEAGE_ASC: frozenset(("km",)),
    Sort.YEAR_DESC: frozenset(("ano",)),
}
"""The topic that an order only names."""
_AND_MORE = re.compile(r"e (?:qual (?:e )?)?(?:o )?(?:mais (?:barat|car|nov)|menos rodad)[oa]")
_SAID_IS = re.compile(r"(?<!\w)(?:é|eh)(?!\w)", re.IGNORECASE)
_IS_IT = re.compile(
    r"(?:(?:mas|entao) )?(?:(?:ess[ea]|est[ea]|el[ea]|aquel[ea])(?: carro| ai| daqui)?|"
    r"(?:o|a) [a-z0-9]+(?: [a-z0-9]+)?)? ?(?:nao )?e (?:mesmo |ja )?"
    r"(?:o |a |um |uma |da |do |de )?(?:versao |modelo |linha )?(?P<word>[a-z0-9.]+)"
    r"(?: (?:mesmo|ne|certo|ou (?:o |a |um |uma )?\w+))*"
)


def about_the_shown(reading: Reading, state: State, stock: Stock, raw: str) -> Reading:
    """The same reading, or what it means of cars that the buyer has before his eyes."""
    if not state.offered and state.focus is None:
        return reading
    best = _best(_of_those(reading, state), state)
    if best is not None:
        return best
    if state.topics and _WHICH_HAS.fullmatch(reading.text.flat):
        freed = replace(reading, free=frozenset(("model", "brand")))
        return with_intent(freed, Intent.SEARCH, state.topics)
    variant = _variant(reading, state, stock)
    if variant is not None:
        return variant
    if _swaps(reading, state):
        return replace(with_intent(reading, Intent.SEARCH, ()), reference=None)
    topic = _is_it(reading, state, stock, raw)
    if topic is None and _asks_something_else(reading, state, stock, raw):
        topic = OTHER
    return reading if topic is None else _asked(reading, topic)


def _of_those(reading: Reading, state: State) -> Reading:
    """`e mais barato?` after `qual o mais novo?`: of the same list."""
    one_of_them = state.focus is not None and state.last_intent == "search"
    if not one_of_them or not _AND_MORE.fullmatch(reading.text.flat):
        return reading
    return replace(reading, reference=Reference(Pointing.BEST, sort=find_sort(reading.text)))


def _best(reading: Reading, state: State) -> Reading | None:
    """`qual o menos rodado?` of a list is one of its cars, not a question about the last."""
    reference = reading.reference
    of_list = reference is not None and reference.how is Pointing.BEST and len(state.offered) > 1
    asks = reading.intent in (Intent.DETAILS, Intent.SEARCH, Intent.UNCLEAR, Intent.NEGOTIATE)
    if not of_list or not asks or reading.offers or reference is None:
        return None
    if set(reading.topics) - _ORDERED_BY.get(reference.sort, frozenset()):
        return None  # `o mais barato desses, qual a km?`
    return with_intent(reading, Intent.SEARCH, ())


_IS_THERE = re.compile(
    r"\b(?:tem|teria|tinha|existe|vem|sai|vende\w*|consegue\w*|acha\w*|arruma\w*)\b"
    r"(?!.*\b(?:vidros?|travas?|direcao|bancos?|cambio)\b)"
)
_OTHER_COLOR = re.compile(r"\boutras? cor(?:es)?\b")
_THE_SAME = re.compile(
    r"\b(?:ess[ea] mesm[oa]|mesm[oa] (?:carro|modelo)|igual(?:zinho)?|um dess[ea]s?)\b"
)


def _variant(reading: Reading, state: State, stock: Stock) -> Reading | None:
    """`tem ele híbrido?`, `tem esse mesmo só que branco?`: its model, otherwise than it is."""
    item = None if state.focus is None else stock.get(state.focus)
    said = reading.filters.model_copy(update={"sort": None})
    flat = reading.text.flat
    one = (_ONE_CAR.search(flat) and _IS_THERE.search(flat)) or _THE_SAME.search(flat)
    plain = reading.intent in (Intent.SEARCH, Intent.DETAILS)
    plain = plain and set(reading.topics) <= {"cor", "combustivel"}
    if item is None or not one or not plain or said.model or said.brand or said.body:
        return None
    if _OTHER_COLOR.search(flat) and item.color and said.empty():
        unlike = Filters(
            model=(ModelWish(family=item.family),), exclude=Exclude(color=(item.color,))
        )
        return with_intent(replace(reading, filters=unlike, reference=None), Intent.SEARCH, ())
    differs = [test for _, test in car_tests(said) if not test(item)]
    if not differs:
        return None
    wish = said.model_copy(update={"model": (ModelWish(family=item.family),), "body": ()})
    meant = replace(reading, filters=wish, reference=None)
    return with_intent(meant, Intent.SEARCH, ())


def _swaps(reading: Reading, state: State) -> bool:
    """`e automático?` after manual ones were wished for: the same wish with the other gearbox."""
    said, before = reading.filters, state.filters
    plain = reading.intent in (Intent.SEARCH, Intent.DETAILS) and state.last_intent == "search"
    if not plain or said.model or said.brand or _ONE_CAR.search(reading.text.flat):
        return False
    if not _LEADS.match(reading.text.flat):
        return False
    changed = [key for key in _SWAPPED if getattr(said, key) not in (None, ())]
    return len(changed) == 1 and _other(said, before, changed[0])


def _other(said: Filters, before: Filters, key: str) -> bool:
    old = getattr(before, key)
    return old not in (None, ()) and old != getattr(said, key)


def _is_it(reading: Reading, state: State, stock: Stock, raw: str) -> str | None:
    """The topic of a yes-or-no question: `esse é o Premier?`, `ele é sedan?`."""
    asks = reading.intent in (Intent.SEARCH, Intent.UNCLEAR, Intent.DETAILS)
    match = _IS_IT.fullmatch(reading.text.flat)
    if not asks or match is None or not (_SAID_IS.search(raw) or _ONE_CAR.match(match[0])):
        return None
    item = find_target(reading, state, stock)
    return None if item is None else _topic(match["word"], item, stock)


_OF_A_CAR = re.compile(
    r"^(?:(?:e|mas|sera que|entao|o carro) )*(?:puxa|cab(?:e|em)|aguenta|sobe|desce|passa|faz|da|"
    r"precisa|pega|roda|anda|serve|vale|dura|desvaloriza|esquenta|vibra|treme|vaza|balanca|aceita|"
    r"funciona|vem|acompanha|possui|tem|ja|foi|esta)\b|"
    r"\b(?:nel[ea]|del[ea]|el[ea]|ness[ea]|dess[ea]|ess[ea])\b"
)
_NOT_OF_IT = re.compile(
    r"\b(?:voces?|ai na loja|loja|vendedor\w*|robo|visita|horario|posso|pode|podemos|vou|quero|"
    r"queria|mostra|manda|sim|nao e|ne)\b"
)


def _asks_something_else(reading: Reading, state: State, stock: Stock, raw: str) -> bool:
    """`puxa reboque?` of the car spoken of: a question, whatever nobody thought of before."""
    if reading.intent is not Intent.UNCLEAR or not reading.text.question or state.draft is not None:
        return False
    if reading.when_said.says_something() or len(reading.text.tokens) < WORDS_ASKED:
        return False
    pointed = reading.reference is None or reading.reference.how is Pointing.THIS
    flat = reading.text.flat
    is_it = flat.startswith("e ") and _SAID_IS.match(raw.strip())
    about = pointed and (_OF_A_CAR.search(flat) or is_it) and not _NOT_OF_IT.search(flat)
    return bool(about) and find_target(reading, state, stock) is not None


def _topic(word: str, item: Listing, stock: Stock) -> str | None:
    key = attribute_words().get(word, ("", ""))[0]
    if key:
        return {
            "body": "carroceria", "color": "cor", "fuel": "combustivel", "transmission": "cambio",
        }[key]  # fmt: skip
    if re.fullmatch(r"[1-6][.,][0-9]|turbo|aspirado|v6|v8", word):
        return "motor"
    return "versao" if word in stock.trims(item.family) else None


def _asked(reading: Reading, topic: str) -> Reading:
    """A question: what was said of the car is no wish."""
    named = Filters(
        model=tuple(one.model_copy(update={"trim": ()}) for one in reading.filters.model),
        color=() if topic == "cor" else reading.filters.color,  # `o Cronos vermelho é manual?`
    )
    topics = tuple(dict.fromkeys((topic, *reading.topics)))
    return with_intent(replace(reading, filters=named), Intent.DETAILS, topics)

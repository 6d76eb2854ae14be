"""Reads an answer to what Lucas asked last: a day, a car of the buyer's own, an amount.

Called by `context`. What the same words mean without a question before them says `reading`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.filters import Filters
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.reading.shifts import NUMBERS, WORD
from bot.reading.text import fold
from bot.reading.when import DayWish, TimeWish, When
from bot.reading.worth import worth_of_his, worth_of_it
from bot.state import Pending, State

_BARE_DAY = re.compile(r"(?:no |o |pode ser |entao |seria )?(?:dia )?([0-3]?[0-9])(?: entao)?")
_DIFFERENCE = re.compile(
    r"\bdiferenca\b|\bquanto (?:eu )?(?:volto|tenho que dar|pago de volta)\b|"
    r"\bquanto (?:da|fica|seria|sai|e) (?:de|a) volta\b"
)
_ITS = re.compile(r"\b(?:ele|ela|o (?:meu )?carro|meu|minha) (?:tem|esta com)\b")
_WISHES = re.compile(
    r"\b(?:tem|quero|queria|procuro|busco|preciso|mostra|manda|quanto|qual|quais|voces|interesse)\b"
)
_CEILING = re.compile(r"\bate\b")


def as_an_answer(reading: Reading, state: State) -> Reading:
    """The same reading, or what it means as an answer."""
    reading = _time(_day(reading, state), state)
    flat = _ITS.sub("", reading.text.flat)
    wishes = bool(_WISHES.search(flat))
    if state.deal.own_car and _DIFFERENCE.search(flat) and not reading.filters.model:
        return with_intent(reading, Intent.TRADE_IN, ())
    worth = _worth(reading, state)
    if worth is not None:
        return worth
    offer = None if wishes else _offer(reading, state)
    if offer is not None:
        return offer
    if wishes:
        return reading
    term = _another_term(reading, state)
    if term is not None:
        return term
    if reading.text.question:  # `e se eu der 30 mil?`
        return _down_payment(reading, state) or reading if reading.down_payment else reading
    return _own_car(reading, state) or _down_payment(reading, state) or reading


_OF_HIS = (Intent.TRADE_IN, Intent.SELL_CAR)


def _worth(reading: Reading, state: State) -> Reading | None:
    """`acha que pagam uns 60 nele?`: what he expects for his own car, once that is known."""
    last = state.last_intent
    of_it = last in _OF_HIS and worth_of_it(reading.text.flat)
    if state.deal.own_car is None or reading.filters.model or reading.intent in _FIRST:
        return None
    if not of_it and not worth_of_his(reading.text.flat):
        return None
    intent = Intent.SELL_CAR if last == Intent.SELL_CAR else Intent.TRADE_IN
    return with_intent(replace(reading, filters=Filters(), offers=(), loose=()), intent, ())


_FIRST = frozenset(
    (
        Intent.OPT_OUT, Intent.HUMAN, Intent.COMPLAINT, Intent.CANCEL_SCHEDULE, Intent.RESCHEDULE,
        Intent.SCHEDULE,
    )
)  # fmt: skip
"""These are meant whatever else is said."""


def with_intent(reading: Reading, intent: Intent, topics: tuple[str, ...]) -> Reading:
    """The reading with another intent that counts; the others stay known."""
    others = tuple(other for other in reading.intents if other not in (intent, Intent.UNCLEAR))
    return replace(reading, intents=(intent, *others), topics=topics)


def _day(reading: Reading, state: State) -> Reading:
    """`28` after being asked for the day; `pode ser` after one day was proposed."""
    if state.pending is not Pending.DATE or state.draft is None:
        return reading
    bare = _BARE_DAY.fullmatch(reading.text.flat)
    if bare and 1 <= int(bare[1]) <= 31:
        return replace(reading, when_said=When(day=DayWish(day=int(bare[1]))))
    day = state.draft.offered
    if reading.intent is Intent.YES and day is not None and not reading.when_said.says_something():
        wish = DayWish(day=day.day, month=day.month, year=day.year)
        return replace(reading, when_said=When(day=wish))
    return reading


_ABOUT_THEN = re.compile(
    r"(?:(?:la|acho|que|pelas|umas|por volta das|as|tipo|pode ser|entao|de manha) ?)*"
    r"(?:(?P<hour>[01]?[0-9]|2[0-3]) ?h? e (?:pouc[oa]|pouquinho|alguma coisa|bolinha|uns "
    rf"quebrados)|(?P<word>{WORD}))"
)


def _time(reading: Reading, state: State) -> Reading:
    """`10 e pouco`, asked for the time: at ten; without the question it is an amount."""
    match = _ABOUT_THEN.fullmatch(reading.text.flat)
    if state.pending is not Pending.TIME or match is None:
        return reading
    said = match["hour"] or match["word"]
    when = When(time=TimeWish(hour=int(said) if said.isdigit() else NUMBERS[said]))
    return replace(reading, when_said=when, filters=Filters(), intents=(Intent.UNCLEAR,))


def _offer(reading: Reading, state: State) -> Reading | None:
    """`120 mil no pix` after a talk about the price."""
    if state.last_intent != Intent.NEGOTIATE or reading.offers:
        return None
    amount = _only_amount(reading)
    if amount is None:
        return None
    return with_intent(replace(reading, offers=(amount,), filters=Filters()), Intent.NEGOTIATE, ())


def _own_car(reading: Reading, state: State) -> Reading | None:
    """`palio 2012 com 150 mil km`, or the mileage alone once the car is known."""
    if state.pending is not Pending.OWN_CAR:
        return None
    intent = Intent.SELL_CAR if state.last_intent == Intent.SELL_CAR else Intent.TRADE_IN
    told = reading.own_car or reading.text.flat
    if state.deal.own_car and _only_amount(reading) is not None:
        told = f"{reading.text.flat} km"
    elif not _tells_a_car(reading):
        return None
    return with_intent(replace(reading, own_car=told, filters=Filters()), intent, ())


def _down_payment(reading: Reading, state: State) -> Reading | None:
    """`20 mil`, `48x`; `até 60 mil` is a wish for a car."""
    of_it = state.last_intent == Intent.FINANCING
    told = of_it and (reading.down_payment is not None or _HAS.fullmatch(reading.text.flat))
    asked = state.pending is Pending.DOWN_PAYMENT or bool(told)
    if not asked or not reading.filters.only_money():
        return None
    if _CEILING.search(reading.text.flat):
        return None
    months = _bare_months(reading, state)
    if months is not None:
        told_so = replace(reading, months=months, filters=Filters())
        return with_intent(told_so, Intent.FINANCING, ())
    down = reading.down_payment
    if down is None and (reading.months is None or reading.filters.price_max is not None):
        down = _only_amount(reading)
    if down is None and reading.months is None:
        return None
    return with_intent(replace(reading, down_payment=down, filters=Filters()), Intent.FINANCING, ())


_BARE_MONTHS = re.compile(r"(?:(?:em|por|acho|que|umas|pode|ser|seria|de) )*(?P<months>[1-9][0-9])")


def _bare_months(reading: Reading, state: State) -> int | None:
    """`48`, once the down payment is known: in so many months."""
    match = _BARE_MONTHS.fullmatch(reading.text.flat)
    if match is None or state.deal.down_payment is None or state.deal.months is not None:
        return None
    return int(match["months"]) if int(match["months"]) in _MONTHS else None


_HAS = re.compile(
    r"(?:(?:eu|so|ja|entao|mas|bom|e|que|uns|umas) )*(?:tenho|consigo|arrumo|junto|dou|posso dar|"
    r"daria)"
    r"(?: (?:uns|umas|so|r\$))* [0-9.,]+k?(?: (?:mil|reais|guardad[oa]s?|na mao|agora|pra dar|ja))*"
)
"""`tenho 10 mil`, in a talk of financing: for the down payment."""
_ANOTHER_TERM = re.compile(
    r"(?:e|mas|entao|agora|ou|tambem|se|eu|aument\w+|sub\w+|baix\w+|diminu\w+|simula|faz|"
    r"calcula|fica como|como fica|quanto fica) ?"
    r"(?:(?:e|se|eu|fosse|for|ai|fica|como|a entrada|entrada) )*"
    r"(?:(?:com|dando|der|desse|dar|de|entrando com|botando|colocando|por|em|pra) )+"
    r"(?:(?:uns|umas|so|apenas|mais|r\$) )*(?P<number>[0-9][0-9.,]*)k?"
    r"(?P<unit>(?: (?:mil|reais|x|vezes|meses|parcelas|de entrada|na entrada))*)"
)
_MONTHS = (12, 18, 24, 30, 36, 42, 48, 60, 72, 84)
_IN_MONTHS = re.compile(r"\b(?:em|por) [0-9]+\b|x|vezes|meses|parcelas")


def _another_term(reading: Reading, state: State) -> Reading | None:
    """`e com 20?`, `e em 36?` after a talk of financing: the same again, with another term."""
    match = _ANOTHER_TERM.fullmatch(reading.text.flat)
    if match is None or state.last_intent != Intent.FINANCING:
        return None
    number = round(float(match["number"].replace(".", "").replace(",", ".")))
    if _IN_MONTHS.search(match[0]) and number in _MONTHS and "mil" not in match["unit"]:
        told = replace(reading, months=number, filters=Filters())
    else:
        small = number < LEAST_IN_FULL
        told = replace(
            reading, down_payment=number * 1000 if small else number, filters=Filters(), months=None
        )
    return with_intent(told, Intent.FINANCING, ())


LEAST_IN_FULL = 1000
"""What is smaller is said in thousands."""


def _only_amount(reading: Reading) -> int | None:
    """The amount when nothing else is said: 70 is 70 thousand."""
    if not reading.filters.only_money():
        return None
    if reading.filters.price_max is not None:
        return reading.filters.price_max
    if not reading.loose or reading.when_said.says_something():
        return None
    number, thousands = reading.loose[0]
    return round(number if thousands or number >= 1000 else number * 1000)


def _tells_a_car(reading: Reading) -> bool:
    wish = reading.filters
    if reading.intent not in (Intent.SEARCH, Intent.UNCLEAR, Intent.TRADE_IN, Intent.DETAILS):
        return False
    return bool(wish.model or wish.brand or wish.year_min or "km" in reading.topics)


def without_own_car(reading: Reading, state: State) -> Reading:
    """`posso levar o Fox pra avaliar?`: a car that he told as his own is no wish."""
    mine = fold(state.deal.own_car or "")
    wanted = tuple(one for one in reading.filters.model if fold(one.family) not in mine)
    if not mine or len(wanted) == len(reading.filters.model):
        return reading
    return replace(reading, filters=reading.filters.model_copy(update={"model": wanted}))

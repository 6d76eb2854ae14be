"""Says what each number in a text is: price, mileage, year, time, ... Called by `reader`.

A number that is not certainly a wish for a car becomes no filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.reading import around
from bot.reading.ages import oldest_age, short_years
from bot.reading.corrections import corrects
from bot.reading.numbers import Number, find_numbers, in_full
from bot.reading.text import Text

_ENGINE_MAX = 6.5
FIRST_YEAR = 1980
MOST_MONTHS = 120
MIN_BARE_PRICE = 10


@dataclass(slots=True)
class Amounts:
    """What the numbers of a text say. Lists hold (token index, value)."""

    price_min: int | None = None
    price_max: int | None = None
    year_min: int | None = None
    year_max: int | None = None
    mileage_max: int | None = None
    engines: list[tuple[int, str]] = field(default_factory=list)
    offers: list[int] = field(default_factory=list)
    instalments: bool = False
    months: int | None = None
    down_payment: int | None = None
    has_time: bool = False
    has_day: bool = False
    loose: list[tuple[int, float, bool]] = field(default_factory=list)
    """Numbers without a role: (token index, value, said in thousands)."""
    priced: bool = False
    used: set[int] = field(default_factory=set)


def read_amounts(
    text: Text, *, named: frozenset[int], own: frozenset[int], this_year: int
) -> Amounts:
    """Classify every number. `named`: tokens that are names of cars; `own`: the buyer's own car."""
    reader = _Reader(text, named, own, this_year + 1)
    return reader.read()


class _Reader:
    """Goes through the numbers once, left to right."""

    def __init__(
        self, text: Text, named: frozenset[int], own: frozenset[int], last_year: int
    ) -> None:
        self._text = text
        self._named = named
        self._own = own
        self._last_year = last_year
        self._out = Amounts()
        self._past = 0
        """Where the number before ended."""
        self._taken_back = False
        """`até 50, aliás 60`: the one before is taken back by this one."""
        self._mode = ""
        """What the price before was: a ceiling (<), a floor (>) or about so much (~)."""

    def read(self) -> Amounts:
        numbers = [
            number
            for number in find_numbers(self._text)
            if number.start not in self._named and number.start not in self._own
        ]
        self._pairs_of_years()
        skip = -1
        for position, number in enumerate(numbers):
            if position == skip or number.start in self._out.used:
                continue
            self._taken_back = corrects(self._text, self._past, number.start)
            self._past = number.end
            nxt = numbers[position + 1] if position + 1 < len(numbers) else None
            if nxt is not None and self._range(number, nxt):
                skip, self._past = position + 1, numbers[position + 1].end
            else:
                self._one(number)
        term = around.TERM.search(self._text.flat)
        if term and self._out.down_payment is not None and self._out.months is None:
            self._out.months = int(term[1])  # `40 de entrada e o resto em 36`
        return self._out

    def _pairs_of_years(self) -> None:
        for index, token in enumerate(self._text.tokens):
            self._out.has_time |= around.TIME.fullmatch(token.text) is not None
            match = around.PAIR.fullmatch(token.text)
            if match is None or index in self._own:
                continue
            first, second = self._year(int(match[1])), self._year(int(match[2]))
            before_day = around.DAY_BEFORE.search(self._text.before(index, 1))
            if first and second and first <= second <= first + 1 and not before_day:
                self._set_year(second, "=")
            else:
                self._out.has_day = True
            self._out.used.add(index)

    def _year(self, value: float) -> int | None:
        year = int(value)
        if year != value:
            return None
        if year < 100:
            year += 2000 if year + 2000 <= self._last_year else 1900
        return year if FIRST_YEAR <= year <= self._last_year else None

    def _set_year(self, year: int, mode: str) -> None:
        if self._taken_back:
            self._out.year_min = self._out.year_max = None
        if mode in ("=", ">"):
            self._out.year_min = year
        if mode in ("=", "<"):
            self._out.year_max = year

    def _range(self, low: Number, high: Number) -> bool:
        """entre 70 e 85 mil, de 2018 a 2020."""
        if any(token.breaks for token in self._text.tokens[low.end : high.start + 1]):
            return False
        between = " ".join(token.text for token in self._text.tokens[low.end : high.start])
        before = self._text.before(low.start, 3)
        opened = re.search(r"\b(?:entre|de|dos|uns|faixa)(?: (?:uns|os|r\$|a|de))*$", before)
        if re.fullmatch(r"(?:e|a|ao|aos|ate|ou)(?: (?:uns|o|os|r\$))?", between) is None:
            return False
        first, last = self._two_years(low, high)
        if first and last:
            self._out.year_min, self._out.year_max = min(first, last), max(first, last)
            return True
        marked = bool(high.thousands or high.unit == "reais") and not between.startswith("e")
        if not (opened or marked) or (between.startswith("e") and "entre" not in before):
            return False
        top = in_full(high)
        bottom = in_full(low)
        if self._is_km(high):
            self._out.mileage_max = top
            return True
        if not low.thousands and low.value < MIN_BARE_PRICE:
            return False  # `familia de 5 ate 80 mil`
        if bottom >= top or top < MIN_BARE_PRICE * 1000 or high.unit not in ("", "reais"):
            return False
        self._out.price_min, self._out.price_max, self._out.priced = bottom, top, True
        return True

    def _two_years(self, low: Number, high: Number) -> tuple[int | None, int | None]:
        if short_years(self._text, low, high) and not self._is_km(high):
            return self._year(low.value), self._year(high.value)
        return self._full_year(low), self._full_year(high)

    def _full_year(self, number: Number) -> int | None:
        plain = not number.thousands and not number.unit and not number.decimal
        return (
            int(number.value) if plain and FIRST_YEAR <= number.value <= self._last_year else None
        )

    def _is_km(self, number: Number) -> bool:
        return (
            number.unit in ("km", "kms")
            or around.KM_AFTER.match(self._text.after(number.end)) is not None
            or (
                number.unit == ""
                and bool(around.KM_BEFORE.search(self._text.before(number.start, 4)))
            )
        )

    def _one(self, number: Number) -> None:
        for attempt in (
            self._no_filter,
            self._as_km,
            self._as_engine,
            self._as_year,
            self._as_price,
        ):
            if attempt(number):
                return
        self._out.loose.append((number.start, number.value, number.thousands))

    def _no_filter(self, number: Number) -> bool:
        before = self._text.before(number.start)
        after = self._text.after(number.end)
        if after.startswith("vezes") and around.REPEATED_BEFORE.search(before):
            return True
        if number.unit in ("x", "vezes") or around.INSTALMENT_AFTER.match(after):
            self._out.instalments = True
            if number.value <= MOST_MONTHS and not number.thousands:
                self._out.months = int(number.value)
            return True
        if around.INSTALMENT_BEFORE.search(before):
            self._out.instalments = True
            return True
        if around.DOWN_AFTER.match(after) or around.DOWN_BEFORE.search(before):
            self._out.down_payment = in_full(number)
            return True
        if self._as_age(number):
            return True
        return self._as_time(number, before) or bool(
            number.unit == "%" or (not number.thousands and around.COUNTED.match(after))
        )

    def _as_age(self, number: Number) -> bool:
        age = oldest_age(self._text, number)
        if age is not None:
            self._set_year(self._last_year - 1 - age, ">")
        return age is not None

    def _as_time(self, number: Number, before: str) -> bool:
        token = self._text.tokens[number.start].text
        small = number.value < 24 and not number.thousands and not number.decimal
        if around.TIME.fullmatch(token) or (small and around.TIME_BEFORE.search(before)):
            self._out.has_time = True
            return True
        if around.DAY_BEFORE.search(before) and number.value <= 31:
            self._out.has_day = True
            return True
        return False

    def _as_km(self, number: Number) -> bool:
        if not self._is_km(number):
            return False
        before, after = self._text.before(number.start), self._text.after(number.end, 8)
        if around.MAX.search(before) or re.search(r"\bou menos\b|\bmaximo\b", after):
            self._out.mileage_max = in_full(number)
        return True

    def _as_engine(self, number: Number) -> bool:
        if not number.decimal or number.value > _ENGINE_MAX or number.unit:
            return False
        self._out.engines.append((number.start, f"{number.value:.1f}"))
        return True

    def _as_year(self, number: Number) -> bool:
        if (number.thousands and not self._spelt_year(number)) or number.unit or number.decimal:
            return False
        before, after = self._text.before(number.start), self._text.after(number.end)
        year = int(number.value) if number.thousands else self._full_year(number)
        if year is None and number.value < 100 and self._short_year(number, before, after):
            year = self._year(number.value)
        if year is None or (self._text.tokens[number.start - 1].text == "r$" and number.start):
            return False
        self._set_year(year, around.year_mode(before, after))
        return True

    def _spelt_year(self, number: Number) -> bool:
        """dois mil e dezenove: no price, no mileage."""
        in_words = self._text.tokens[number.start].text.isalpha()
        return in_words and 2000 < number.value <= self._last_year

    def _short_year(self, number: Number, before: str, after: str) -> bool:
        beside_name = number.start - 1 in self._named and not self._text.tokens[number.start].breaks
        digits = len(self._text.tokens[number.start].text) == 2
        newer = number.value <= self._last_year - 2000 and re.match(
            r"pra (?:cima|ca|frente)|em diante|ou mais nov", after
        )
        return digits and bool(around.YEAR_BEFORE.search(before) or beside_name or newer)

    def _as_price(self, number: Number) -> bool:
        before = self._text.before(number.start, 8)
        money = self._is_money(number)
        value = in_full(number)
        if number.unit not in ("", "reais") or value < MIN_BARE_PRICE * 1000:
            return False
        mode = around.price_mode(before, self._text.after(number.end, 8))
        if mode == "offer":
            self._out.offers.append(value)
            return True
        if self._taken_back:
            mode = mode or self._mode
        if mode == "" and (
            not money or re.search(r"\b(?:o|a|esse|essa|aquele|aquela|no|na|do|da) de$", before)
        ):
            return False
        self._set_price(value, mode)
        return True

    def _is_money(self, number: Number) -> bool:
        marked = number.thousands or number.unit == "reais" or number.value >= MIN_BARE_PRICE * 1000
        marked |= number.decimal and number.value >= MIN_BARE_PRICE  # 59,9
        return marked or (number.start > 0 and self._text.tokens[number.start - 1].text == "r$")

    def _set_price(self, value: int, mode: str) -> None:
        self._out.priced = True
        self._mode = mode
        if self._taken_back:
            self._out.price_min = self._out.price_max = None
        if mode == ">":
            self._out.price_min = value
        elif mode == "~":
            self._out.price_min, self._out.price_max = round(value * 0.9), round(value * 1.1)
        else:
            self._out.price_max = value

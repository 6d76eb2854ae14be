"""Says what each number in a text is: price, mileage, year, time, ... Called by `reader`.

A number that is not certainly a wish for a car becomes no filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.reading.numbers import Number, find_numbers
from bot.reading.text import Text

_FILL = (
    r"(?: (?:uns|umas|de|da|do|r\$|em|o|a|os|as|valor|preco|por|volta|torno|mais|menos|ou|reais|"
    r"ate|so|e|"
    r"total|no|maximo|minimo|na|faixa|casa|dos|ano|km|com|ser|modelo|custar?|custando))*"
)
_MAX = re.compile(
    r"\b(?:ate|(?:no )?maximo|abaixo|menos de|menor(?:es)? (?:que|de)|inferior(?:es)? a|limite|"
    r"teto|"
    r"(?:nao )?(?:passe|passa|passar|ultrapasse|ultrapassar)(?: muito)?|tenho|gastar|pagar|"
    r"orcamento|"
    r"disponho|disponivel|bolso|budget|(?:nada|nao|nem) (?:acima|mais) (?:de|que))" + _FILL + "$"
)
_MIN = re.compile(
    r"\b(?:a partir|acima|mais de|maior(?:es)? (?:que|de)|superior(?:es)? a|(?:no )?minimo|"
    r"partindo|desde|mais nov[oa]s? (?:do )?que)" + _FILL + "$"
)
_AROUND = re.compile(
    r"\b(?:uns|umas|faixa|torno|volta|mais ou menos|cerca|aproximadamente|perto|proximo|media|"
    r"casa|beirando|"
    r"aproximado)" + _FILL + "$"
)
_MAX_AFTER = re.compile(
    r"(?:reais )?(?:(?:no|de) (?:maximo|limite)|maximo|e (?:o )?(?:meu )?(?:limite|maximo|teto|"
    r"orcamento)|"
    r"pra (?:gastar|baixo|pagar|investir)|ou (?:menos|mais (?:velh|antig|barat)))"
)
_MIN_AFTER = re.compile(
    r"(?:e |ou )?(?:pra (?:cima|frente|ca)|em diante|acima|superior|mais nov[oa]s?)|ou mais"
)
_AROUND_AFTER = re.compile(r"(?:mais ou menos|por ai|e pouco)")
_KM_AFTER = re.compile(r"(?:mil )?(?:de )?(?:km|rodad[oa]s?)\b")
_KM_BEFORE = re.compile(
    r"(?<!baixa )(?<!baixo )(?<!pouca )(?<!pouco )(?<!menor )(?<!menos )\b(?:km|rodagem)(?: (?:de|"
    r"ate|abaixo|menor|que|com|maximo|no|maxima))*$"
)
_DOWN_BEFORE = re.compile(r"\bentrada(?: (?:de|com|e|r\$|seria|em torno|uns))*$|\bsinal(?: de)?$")
_DOWN_AFTER = re.compile(r"(?:reais )?(?:(?:de|na|como|pra|em) )?(?:entrada|sinal)\b")
_INSTALMENT_BEFORE = re.compile(
    r"\b(?:parcelas?|prestac(?:ao|oes)|mensal|mensais|mensalidade)(?: (?:de|ate|no|maximo|em|uns|"
    r"por|r\$|que|caiba|fique|fica|nao|passe|seja))*$"
)
_INSTALMENT_AFTER = re.compile(
    r"(?:reais )?(?:x|vezes|parcelas|por mes|ao mes|mensais|mensal|meses|de parcela)\b"
)
_OFFER = re.compile(
    r"\b(?:faz|fazem|fazer|faria|fariam|fecha|fecham|fechamos|fechar|fecho|deixa|deixam|sai|leva|"
    r"levo|vende|"
    r"vendem|venda|vender|aceita|aceitam|dou|pago|ofereco|oferta|proposta|consegue|consegu\w+|"
    r"topa|topam|"
    r"toparia|pego)(?: (?!ate\b)\w+){0,4}? (?:por|em)(?: (?:r\$|uns|so))*$|"
    r"\b(?:dou|pago|ofereco|oferta|proposta|aceita|aceitam|topa|fecha|fecham|consegue|consegu\w+|"
    r"rola|faz|fazem)"
    r"(?: (?:ele|ela|esse|essa|isso|o|a|carro|por|em|de|nele|nela|pra|mim|voces|voce|vista|r\$|"
    r"seria|hoje|no|um))*$"
)
_OFFER_AFTER = re.compile(
    r"(?:reais )?(?:(?:a vista|no pix|em dinheiro|no dinheiro|hoje|agora) )*(?:fecha|fechamos|leva|"
    r"topa|rola|aceita|vende|da negocio)\b"
)
_COUNTED = re.compile(
    r"(?:lugares|portas|marchas|air|airbags|cilindros|cv|cavalos|litros|donos?|anos|pessoas|"
    r"filhos|dias?|"
    r"meses|horas?|hrs?|minutos?|unidades?|carros?|opcoes|vezes|polegadas|criancas)\b"
)
_TIME_BEFORE = re.compile(r"\b(?:as|umas|ali pelas|pelas|das|apos as|depois das)$")
_DAY_BEFORE = re.compile(r"\bdia$")
_YEAR_BEFORE = re.compile(r"\bano(?: (?:de|e|modelo))*$")
_TIME = re.compile(r"[0-9]{1,2}(?:h|hs|hrs|horas)[0-9]{0,2}|[0-9]{1,2}:[0-9]{2}")
_PAIR = re.compile(r"([0-9]{2}|[0-9]{4})/([0-9]{2}|[0-9]{4})")
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
            nxt = numbers[position + 1] if position + 1 < len(numbers) else None
            if nxt is not None and self._range(number, nxt):
                skip = position + 1
            else:
                self._one(number)
        return self._out

    def _pairs_of_years(self) -> None:
        for index, token in enumerate(self._text.tokens):
            self._out.has_time |= _TIME.fullmatch(token.text) is not None
            match = _PAIR.fullmatch(token.text)
            if match is None or index in self._own:
                continue
            first, second = self._year(int(match[1])), self._year(int(match[2]))
            before_day = _DAY_BEFORE.search(self._text.before(index, 1))
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
        if mode in ("=", ">"):
            self._out.year_min = year
        if mode in ("=", "<"):
            self._out.year_max = year

    def _range(self, low: Number, high: Number) -> bool:
        """entre 70 e 85 mil, de 2018 a 2020."""
        between = " ".join(token.text for token in self._text.tokens[low.end : high.start])
        before = self._text.before(low.start, 3)
        opened = re.search(r"\b(?:entre|de|dos|uns|faixa)(?: (?:uns|os|r\$|a|de))*$", before)
        if re.fullmatch(r"(?:e|a|ate|ou)(?: (?:uns|os|r\$))?", between) is None:
            return False
        years = self._full_year(low), self._full_year(high)
        if years[0] and years[1]:
            self._out.year_min, self._out.year_max = (
                min(years[0], years[1]),
                max(years[0], years[1]),
            )
            return True
        marked = bool(high.thousands or high.unit == "reais") and not between.startswith("e")
        if not (opened or marked) or (between.startswith("e") and "entre" not in before):
            return False
        top = _thousands(high)
        bottom = _thousands(low)
        if self._is_km(high):
            self._out.mileage_max = top
            return True
        if bottom >= top or top < MIN_BARE_PRICE * 1000 or high.unit not in ("", "reais"):
            return False
        self._out.price_min, self._out.price_max, self._out.priced = bottom, top, True
        return True

    def _full_year(self, number: Number) -> int | None:
        plain = not number.thousands and not number.unit and not number.decimal
        return (
            int(number.value) if plain and FIRST_YEAR <= number.value <= self._last_year else None
        )

    def _is_km(self, number: Number) -> bool:
        return (
            number.unit in ("km", "kms")
            or _KM_AFTER.match(self._text.after(number.end)) is not None
            or (number.unit == "" and bool(_KM_BEFORE.search(self._text.before(number.start, 4))))
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
        if number.unit in ("x", "vezes") or _INSTALMENT_AFTER.match(after):
            self._out.instalments = True
            if number.value <= MOST_MONTHS and not number.thousands:
                self._out.months = int(number.value)
            return True
        if _INSTALMENT_BEFORE.search(before):
            self._out.instalments = True
            return True
        if _DOWN_AFTER.match(after) or _DOWN_BEFORE.search(before):
            self._out.down_payment = _thousands(number)
            return True
        return self._as_time(number, before) or bool(
            number.unit == "%" or (not number.thousands and _COUNTED.match(after))
        )

    def _as_time(self, number: Number, before: str) -> bool:
        token = self._text.tokens[number.start].text
        small = number.value < 24 and not number.thousands and not number.decimal
        if _TIME.fullmatch(token) or (small and _TIME_BEFORE.search(before)):
            self._out.has_time = True
            return True
        if _DAY_BEFORE.search(before) and number.value <= 31:
            self._out.has_day = True
            return True
        return False

    def _as_km(self, number: Number) -> bool:
        if not self._is_km(number):
            return False
        before, after = self._text.before(number.start), self._text.after(number.end, 8)
        if _MAX.search(before) or re.search(r"\bou menos\b|\bmaximo\b", after):
            self._out.mileage_max = _thousands(number)
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
        self._set_year(year, self._year_mode(before, after))
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
        return digits and bool(_YEAR_BEFORE.search(before) or beside_name or newer)

    def _year_mode(self, before: str, after: str) -> str:
        if _MIN_AFTER.match(after) or _MIN.search(before):
            return ">"
        if _MAX_AFTER.match(after) or _MAX.search(before):
            return "<"
        return "="

    def _as_price(self, number: Number) -> bool:
        before = self._text.before(number.start, 8)
        money = self._is_money(number)
        value = _thousands(number)
        if number.unit not in ("", "reais") or value < MIN_BARE_PRICE * 1000:
            return False
        mode = self._price_mode(before, self._text.after(number.end))
        if mode == "offer":
            self._out.offers.append(value)
            return True
        if mode == "" and (
            not money or re.search(r"\b(?:o|a|esse|essa|aquele|aquela|no|na|do|da) de$", before)
        ):
            return False
        self._set_price(value, mode)
        return True

    def _is_money(self, number: Number) -> bool:
        marked = number.thousands or number.unit == "reais" or number.value >= MIN_BARE_PRICE * 1000
        return marked or (number.start > 0 and self._text.tokens[number.start - 1].text == "r$")

    def _price_mode(self, before: str, after: str) -> str:
        if _MAX.search(before) or _MAX_AFTER.match(after):
            return "<"
        if _MIN.search(before):
            return ">"
        if _OFFER.search(before) or _OFFER_AFTER.match(after):
            return "offer"
        if _MIN_AFTER.match(after):
            return ">"
        return "~" if _AROUND.search(before) or _AROUND_AFTER.match(after) else ""

    def _set_price(self, value: int, mode: str) -> None:
        self._out.priced = True
        if mode == ">":
            self._out.price_min = value
        elif mode == "~":
            self._out.price_min, self._out.price_max = round(value * 0.9), round(value * 1.1)
        else:
            self._out.price_max = value


def _thousands(number: Number) -> int:
    """In reais or km: a bare number under 1000 means thousands."""
    if number.thousands or number.value >= 1000:
        return round(number.value)
    return round(number.value * 1000)

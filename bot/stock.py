"""The cars of one dealer, prepared for questions. Built by `worker` once, used by every turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.filters import Exclude, Filters, ModelWish, Sort
from bot.reading.data import attribute_words, plain_words, shorthand
from bot.reading.lexicon import Family, Lexicon
from bot.reading.text import compact, fold
from bot.spelling import as_he_spells, most_written
from bot.values import Car

AVAILABLE = "available"
_ADJECTIVES = frozenset(("novo", "nova", "new", "all"))
_ENGINE = re.compile(r"(?<![\d.])\d\.\d(?!\d)")
_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?(?:-[a-z0-9]+)*")
_AUTOMATIC = re.compile(r"\baut|\bcvt\b|\bdct\b|tronic|\btip|dual|hidra|i-?motion")
_MANUAL = re.compile(r"\bman|\bmec")


@dataclass(frozen=True, slots=True)
class Listing:
    """A car with what is derived from its columns once, so that a turn need not."""

    car: Car
    brand: str
    family: str
    body: str | None
    trim: frozenset[str]
    trim_shown: tuple[tuple[str, str], ...]
    """Trim words as (compared, shown)."""
    color: str | None
    fuel: str | None
    transmission: str | None
    engines: frozenset[str]
    family_key: str
    """The family without blanks, accents and case: what two spellings share."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """What is left of the cars for sale, in the wanted order, and why the others are not."""

    found: list[Listing]
    fell_out: dict[str, int]


class Stock:
    """An index over a dealer's cars. Holds cars of every status; offers only those for sale."""

    def __init__(self, listings: tuple[Listing, ...], lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.offered = tuple(item for item in listings if item.car.status == AVAILABLE)
        self.gone = tuple(item for item in listings if item.car.status != AVAILABLE)
        self._by_id = {item.car.id: item for item in listings}
        self._trims = _trims_by_family(listings)

    @classmethod
    def build(cls, cars: Iterable[Car]) -> Stock:
        """Prepare cars of all statuses; those that are not available only explain themselves."""
        base = Lexicon.base()
        all_cars = tuple(cars)
        own = (_own_family(car, base) for car in all_cars)
        lexicon = base.joined(most_written(family for family in own if family is not None))
        return cls(tuple(_listing(car, lexicon) for car in all_cars), lexicon)

    def get(self, car_id: int) -> Listing | None:
        """The car for sale with this id."""
        return for_sale(self._by_id.get(car_id))

    def known(self, car_id: int) -> Listing | None:
        """The car with this id, sold and reserved ones too."""
        return self._by_id.get(car_id)

    def matching(self, filters: Filters) -> list[Listing]:
        """Cars for sale that fit, in the wanted order (default: price ascending, then id)."""
        return self.sifted(filters).found

    def sifted(self, filters: Filters) -> Sifted:
        """The same, with how many cars each wish ruled out; a car counts for the first one."""
        tests, found, fell_out = car_tests(filters), [], dict[str, int]()
        for item in self.offered:
            for key, fits_key in tests:
                if not fits_key(item):
                    fell_out[key] = fell_out.get(key, 0) + 1
                    break
            else:
                found.append(item)
        return Sifted(ordered(found, filters.sort), fell_out)

    def missed(self, filters: Filters) -> list[Listing]:
        """Sold or reserved cars that fit: why a car asked for by name is not there any more."""
        tests = car_tests(filters)
        gone = (item for item in self.gone if all(test(item) for _, test in tests))
        return ordered(gone, filters.sort)

    def trims(self, family: str) -> dict[str, str]:
        """Trim words that this dealer's cars of a family have: compared -> shown."""
        return self._trims.get(compact(family), {})

    def body_of(self, wish: ModelWish) -> str | None:
        """The body of a family, also of one that the dealer does not have."""
        family = self.lexicon.family(wish.family)
        return family.body if family else None


def for_sale(item: Listing | None) -> Listing | None:
    """The car if it can be offered."""
    return item if item is not None and item.car.status == AVAILABLE else None


def ordered(items: Iterable[Listing], sort: Sort | None) -> list[Listing]:
    """Sorted; unknown mileage last; equal ones by price and id."""
    return sorted(items, key=lambda item: _sort_key(item.car, sort))


CarTest = Callable[[Listing], bool]


def fits(item: Listing, filters: Filters) -> bool:
    """True when a car meets everything that is stated. For many cars use `car_tests` once."""
    return all(test(item) for _, test in car_tests(filters))


def car_tests(want: Filters) -> list[tuple[str, CarTest]]:
    """One test for each wish that is stated, named by its filter key."""
    tests = [*_kind_tests(want), *_number_tests(want), *_exclusion_tests(want.exclude)]
    return [(key, test) for key, stated, test in tests if stated]


def _kind_tests(want: Filters) -> list[tuple[str, bool, CarTest]]:
    is_model = _model_test(want.model)
    return [
        ("model", bool(want.model), is_model),
        ("brand", bool(want.brand), lambda item: item.brand in want.brand),
        ("body", bool(want.body), lambda item: item.body in want.body),
        ("transmission", want.transmission is not None,
         lambda item: item.transmission == want.transmission),
        ("fuel", bool(want.fuel), lambda item: item.fuel in want.fuel),
        ("color", bool(want.color), lambda item: item.color in want.color),
    ]  # fmt: skip


def _number_tests(want: Filters) -> list[tuple[str, bool, CarTest]]:
    return [
        ("price_max", want.price_max is not None,
         lambda item: item.car.preco <= (want.price_max or 0)),
        ("price_min", want.price_min is not None,
         lambda item: item.car.preco >= (want.price_min or 0)),
        ("year_min", want.year_min is not None, lambda item: _year(item) >= (want.year_min or 0)),
        ("year_max", want.year_max is not None,
         lambda item: 0 < _year(item) <= (want.year_max or 0)),
        ("mileage_max", want.mileage_max is not None,
         lambda item: item.car.km is not None and item.car.km <= (want.mileage_max or 0)),
    ]  # fmt: skip


def _exclusion_tests(no: Exclude) -> list[tuple[str, bool, CarTest]]:
    is_model, engines = _model_test(no.model), set(no.engine)
    return [
        ("exclude.color", bool(no.color), lambda item: item.color not in no.color),
        ("exclude.brand", bool(no.brand), lambda item: item.brand not in no.brand),
        ("exclude.fuel", bool(no.fuel), lambda item: item.fuel not in no.fuel),
        ("exclude.body", bool(no.body), lambda item: item.body not in no.body),
        ("exclude.engine", bool(engines), lambda item: not item.engines & engines),
        ("exclude.model", bool(no.model), lambda item: not is_model(item)),
    ]


def _model_test(wishes: tuple[ModelWish, ...]) -> CarTest:
    """Of one of these families, with every word of trim that was said."""
    known = [(compact(wish.family), {fold(word) for word in wish.trim}) for wish in wishes]
    return lambda item: any(key == item.family_key and trim <= item.trim for key, trim in known)


def _year(item: Listing) -> int:
    return item.car.ano_modelo or item.car.ano or 0


def _sort_key(car: Car, sort: Sort | None) -> tuple[float, float, int]:
    price = float(car.preco)
    if sort is Sort.PRICE_DESC:
        return (-price, 0.0, car.id)
    if sort is Sort.MILEAGE_ASC:
        return (float("inf") if car.km is None else float(car.km), price, car.id)
    if sort is Sort.YEAR_DESC:
        return (-float(car.ano_modelo or car.ano or 0), price, car.id)
    return (price, 0.0, car.id)


def _model(car: Car) -> str:
    """The model without a repeated brand or an adjective before it (Novo Uno)."""
    words = car.modelo.split()
    while len(words) > 1 and (fold(words[0]) == fold(car.marca) or fold(words[0]) in _ADJECTIVES):
        words.pop(0)
    return " ".join(words)


def _own_family(car: Car, base: Lexicon) -> Family | None:
    """The family of a car, taken from its first words when nobody listed it."""
    model = _model(car)
    known = base.family_of(model)
    if known is not None:
        return as_he_spells(known[0], model)
    words = model.split()
    count = 1 if words and len(compact(words[0])) > 1 and not _everyday(words[0]) else 2
    name = " ".join(words[:count])
    return Family(name, base.brand(car.marca), None) if len(compact(name)) > 1 else None


def _everyday(word: str) -> bool:
    plain = fold(word)
    return plain in plain_words() or plain in attribute_words() or plain in shorthand()


def _listing(car: Car, lexicon: Lexicon) -> Listing:
    model = _model(car)
    family, rest = lexicon.family_of(model) or (Family(model, car.marca, None), "")
    shown = trim_words(rest)
    return Listing(
        car=car,
        brand=lexicon.brand(car.marca),
        family=family.name,
        body=family.body,
        trim=frozenset(compared for compared, _ in shown),
        trim_shown=shown,
        color=_color(car.cor),
        fuel=_fuel(car.combustivel),
        transmission=_transmission(car.cambio),
        engines=frozenset(_ENGINE.findall(car.modelo)),
        family_key=compact(family.name),
    )


def trim_words(rest: str) -> tuple[tuple[str, str], ...]:
    """The words of a trim as (compared, shown); cab. simples is CS, cab. dupla is CD."""
    folded = re.sub(r"cab(?:ine|\.)? simples", "CS", rest, flags=re.IGNORECASE)
    folded = re.sub(r"cab(?:ine|\.)? dupla", "CD", folded, flags=re.IGNORECASE)
    pairs = ((_WORD.search(fold(word)), word) for word in folded.split())
    return tuple((match.group(), word) for match, word in pairs if match)


def _trims_by_family(listings: Iterable[Listing]) -> dict[str, dict[str, str]]:
    trims: dict[str, dict[str, str]] = {}
    for item in listings:
        trims.setdefault(compact(item.family), {}).update(item.trim_shown)
    return trims


def _color(raw: str | None) -> str | None:
    words = fold(raw or "").split()
    if not words:
        return None
    key, value = attribute_words().get(words[0], ("", ""))
    return value if key == "color" else words[0]


def _fuel(raw: str | None) -> str | None:
    text = fold(raw or "")
    if "hibrid" in text or "hybrid" in text:
        return "hibrido"
    if "flex" in text or ("gasolina" in text and ("alcool" in text or "etanol" in text)):
        return "flex"
    for stem, fuel in _FUEL_STEMS:
        if stem in text:
            return fuel
    return None


_FUEL_STEMS = (
    ("diesel", "diesel"),
    ("eletric", "eletrico"),
    ("gasolina", "gasolina"),
    ("alcool", "etanol"),
    ("etanol", "etanol"),
)


def _transmission(raw: str | None) -> str | None:
    text = fold(raw or "")
    if _AUTOMATIC.search(text):
        return "automatico"
    return "manual" if _MANUAL.search(text) else None

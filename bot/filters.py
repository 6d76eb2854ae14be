"""The wishes of a buyer, as values. Made by `reading`, matched by `stock`, kept by `state`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class Sort(StrEnum):
    """The order in which matching cars are shown."""

    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    MILEAGE_ASC = "mileage_asc"
    YEAR_DESC = "year_desc"


class ModelWish(BaseModel):
    """A family of cars, narrowed by the words of trim that were said (Onix, Premier)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    family: str
    trim: tuple[str, ...] = ()

    def spoken(self) -> str:
        """As one name: Onix Premier."""
        return " ".join((self.family, *self.trim))


class Exclude(BaseModel):
    """What a car must not be."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    brand: tuple[str, ...] = ()
    model: tuple[ModelWish, ...] = ()
    color: tuple[str, ...] = ()
    fuel: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()

    def joined(self, newer: Exclude) -> Exclude:
        """What neither may be: `tira Fiat`, then `Jeep também não`."""
        return Exclude(
            **{key: tuple(dict.fromkeys((*value, *getattr(newer, key)))) for key, value in self}
        )

    def without(self, wanted: Filters) -> Exclude:
        """What is wished for now is no longer ruled out."""
        if self == _NO_EXCLUDE:
            return self
        kept = {key: getattr(wanted, key, ()) for key, _ in self}
        return Exclude(
            **{key: tuple(one for one in value if one not in kept[key]) for key, value in self}
        )


_NO_EXCLUDE = Exclude()


class Filters(BaseModel):
    """What a car must be; several values of one kind mean any of them. Reais and km."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    brand: tuple[str, ...] = ()
    model: tuple[ModelWish, ...] = ()
    color: tuple[str, ...] = ()
    fuel: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    transmission: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    year_min: int | None = None
    year_max: int | None = None
    mileage_max: int | None = None
    sort: Sort | None = None
    exclude: Exclude = Exclude()

    def empty(self) -> bool:
        """True when nothing narrows the stock (an order alone does not)."""
        return not (self.brand or self.model) and self.only_names()

    def only_names(self) -> bool:
        """True when nothing but brand and model is said."""
        money = self.price_min is not None or self.price_max is not None
        return not money and self._only_money_or_names()

    def only_money(self) -> bool:
        """True when nothing but a price is said, or nothing at all."""
        return not (self.brand or self.model) and self._only_money_or_names()

    def _only_money_or_names(self) -> bool:
        """Called for every turn several times: plain comparisons."""
        kinds = self.color or self.fuel or self.body or self.transmission is not None
        numbers = (self.year_min, self.year_max, self.mileage_max)
        return not kinds and numbers == (None, None, None) and self.exclude == _NO_EXCLUDE

    def spoken(self) -> dict[str, Any]:
        """JSON-ready, only what is stated, a single value bare: the form that is measured."""
        said = {key: value for key, value in self if value not in (None, ())}
        said.pop("exclude", None)
        result: dict[str, Any] = {key: _bare(value) for key, value in said.items()}
        unwanted = {key: _listed(value) for key, value in self.exclude if value}
        if unwanted:
            result["exclude"] = unwanted
        return result

    def stripped(self, unwanted: Exclude) -> Filters:
        """These wishes without what is ruled out now: `tira o branco` of white ones."""
        if unwanted == _NO_EXCLUDE:
            return self
        update = {
            key: tuple(one for one in getattr(self, key) if one not in getattr(unwanted, key))
            for key in ("brand", "color", "fuel", "body")
        }
        return self.model_copy(update=update)

    def merged(self, newer: Filters) -> Filters:
        """These wishes, overridden by what `newer` says about the same thing."""
        update: dict[str, Any] = {
            key: value for key, value in newer if value not in (None, (), _NO_EXCLUDE)
        }
        if "exclude" in update:
            update["exclude"] = self.exclude.joined(newer.exclude)
        update["exclude"] = update.get("exclude", self.exclude).without(newer)
        if newer.price_max is not None or newer.price_min is not None:
            update |= {"price_min": newer.price_min, "price_max": newer.price_max}
        if newer.year_max is not None or newer.year_min is not None:
            update |= {"year_min": newer.year_min, "year_max": newer.year_max}
        return self.model_copy(update=update)


def _listed(values: tuple[Any, ...]) -> list[str]:
    return [value.spoken() if isinstance(value, ModelWish) else value for value in values]


def _bare(value: Any) -> Any:
    if isinstance(value, Sort):
        return value.value
    if isinstance(value, tuple):
        listed = _listed(value)
        return listed[0] if len(listed) == 1 else listed
    return value

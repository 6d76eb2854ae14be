"""What an import will do, as values. Made by `.plan`, carried out by `.rows`, shown by the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from worker.stock.reading import Place, Reading
from worker.stock.vehicle import CarRow

COLUMNS = (
    "brand", "model", "year", "year_model", "price", "mileage", "color", "fuel_type",
    "transmission", "description", "status",
)  # fmt: skip
"""Of `cars`, as far as files speak of them."""


class Key(StrEnum):
    """By what a line of a file is the same car as one that is there."""

    ID = "id"
    """Our own id of it."""
    CODE = "codigo"
    CHASSIS = "chassi"
    ALIKE = "parecido"
    """Brand, model, years, colour and mileage."""


class Action(StrEnum):
    """What becomes of a car."""

    ADD = "novo"
    CHANGE = "alterado"
    SAME = "igual"
    SELL = "vendido"
    """Not in a complete file any more."""
    REFUSE = "recusado"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A car of the dealer's database."""

    id: int
    values: Mapping[str, object]
    photos: tuple[str, ...] = ()
    key: str | None = None
    """Its key of the kind that this import goes by."""
    absent: bool = False
    """A complete file did not list it: if it is sold, then only for that."""

    @property
    def is_sold(self) -> bool:
        """Not for sale, not reserved."""
        return self.values["status"] == "sold"

    @property
    def name(self) -> str:
        """For lists."""
        return (
            f"{self.values['brand'] or ''} {self.values['model'] or ''}".strip() or f"id {self.id}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A column that gets another value; of photos, `field` is "images" and values are counts."""

    field: str
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the plan."""

    action: Action
    name: str
    place: Place | None = None
    car_id: int | None = None
    car: CarRow | None = field(default=None, repr=False)
    stored: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The columns of the car as they are."""
    key: str | None = field(default=None, repr=False)
    changes: tuple[Change, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why it is refused, or what the dealer should know."""

    @property
    def leaves_sale(self) -> bool:
        """Whether a buyer with an appointment for this car should be spoken to."""
        moved = any(c.field == "status" and c.new in ("sold", "reserved") for c in self.changes)
        return self.action is Action.SELL or moved

    @property
    def is_sold_now(self) -> bool:
        """Whether it was for sale or reserved and will be sold."""
        return any(c.field == "status" and c.new == "sold" for c in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that an import will do."""

    key: Key
    entries: tuple[Entry, ...]
    for_sale: int
    """Cars that are for sale or reserved before it."""
    back: frozenset[int] = frozenset()
    """Cars that were taken for sold, and are in the file or a person's offer again."""
    notes: tuple[str, ...] = ()

    def count(self, action: Action) -> int:
        """How many lines of a kind."""
        return sum(entry.action is action for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What whoever imports has chosen."""

    key: Key | None = None
    """None: by the best that the file has."""
    full: bool = False
    """The file lists the whole stock: what is missing is sold."""
    partial: bool = False
    max_refused: int = 0
    max_sold_percent: int = 30
    confirm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an import."""

    origin: str
    plan: Plan | None = None
    reading: Reading | None = field(default=None, repr=False)
    why_not: str | None = None
    """Why nothing was imported, for the dealer."""
    stored: bool = False

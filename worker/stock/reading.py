"""What a stock file holds, line by line. Filled by the readers of each form, used by `.run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from worker.stock.vehicle import BadLine, CarRow, car_of
from worker.stock.words import Words, our_words


class BadFile(ValueError):
    """The file as a whole cannot be read. The text tells the dealer what to do, in Portuguese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the file something stands: a line, of JSON the number of the car."""

    line: int
    sheet: str | None = None
    unit: str = "linha"

    def __str__(self) -> str:
        where = f"{self.unit} {self.line}"
        return f"planilha {self.sheet}, {where}" if self.sheet else where


@dataclass(frozen=True, slots=True, kw_only=True)
class CarLine:
    """A car and where it stands."""

    place: Place
    car: CarRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line that is not taken, and why. `car`: what could be read of it."""

    place: Place
    problems: tuple[str, ...]
    car: CarRow = field(default_factory=CarRow)


@dataclass(slots=True, kw_only=True)
class Reading:
    """All lines of a file, in order."""

    form: str
    """csv, planilha, json or sql."""
    words: Words = field(default_factory=our_words)
    year: int = field(default_factory=lambda: date.today().year)  # noqa: DTZ011
    lines: list[CarLine] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was passed over."""

    def take(self, place: Place, values: Mapping[str, Sequence[object]]) -> None:
        """One line, as a car or as refused."""
        try:
            car = car_of(values, self.words, year=self.year)
        except BadLine as error:
            self.refuse(place, *error.problems, car=error.car)
        else:
            self.lines.append(CarLine(place=place, car=car))

    def refuse(self, place: Place, *problems: str, car: CarRow | None = None) -> None:
        """A line that cannot be taken."""
        self.refused.append(Refused(place=place, problems=problems, car=car or CarRow()))

    @property
    def cars(self) -> list[CarRow]:
        """The cars without their places."""
        return [line.car for line in self.lines]

"""Finds the car that a line of a file means. Called by `.plan`. Knows no database."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from worker.stock.reading import CarLine, Refused
from worker.stock.values import Key, Stored
from worker.stock.vehicle import CarRow
from worker.stock.words import plain

_DRIVEN_KM = 1_000
"""A car in a yard is moved and tried, not more."""
Match = tuple[CarLine, Stored | None]


def key_of(car: CarRow, key: Key, empresa_id: int) -> str | None:
    """The line's key as it is stored; of a chassis number a digest that differs per dealer."""
    if key is Key.ID:
        return None if car.id is None else str(car.id)
    if key is Key.CODE:
        return car.codigo
    if key is Key.CHASSIS and car.chassi is not None:
        return hashlib.sha256(f"{empresa_id}:{car.chassi}".encode()).hexdigest()
    return None


def best_key(cars: Iterable[CarRow]) -> Key:
    """The first that the file has: id, code, chassis; else what the cars look like."""
    listed = list(cars)
    for key, name in ((Key.ID, "id"), (Key.CODE, "codigo"), (Key.CHASSIS, "chassi")):
        if any(getattr(car, name) is not None for car in listed):
            return key
    return Key.ALIKE


class Matcher:
    """Pairs lines with cars; each car stands for one line at most."""

    def __init__(self, stored: Sequence[Stored], key: Key, empresa_id: int) -> None:
        self._stored = stored
        self._key = key
        self._empresa_id = empresa_id
        self._taken: set[int] = set()
        self.matches: list[Match] = []
        self.refused: list[Refused] = []

    def match(self, lines: Sequence[CarLine]) -> None:
        """Fills `matches` (in the file's order) and `refused`."""
        lines = list(self._once(lines))
        found: dict[int, Stored | None] = {}
        left: list[int] = []
        by_key = {str(car.id) if self._key is Key.ID else car.key: car for car in self._stored}
        for index, line in enumerate(lines):
            key = key_of(line.car, self._key, self._empresa_id)
            car = None if key is None else by_key.get(key)
            if car is not None:
                found[index] = self._take(car)
            elif key is not None and self._key is Key.ID:
                found[index] = None
            else:
                left.append(index)
        left = self._exact(lines, left, found)
        self._near(lines, left, found)
        self.matches = [(lines[index], found[index]) for index in sorted(found)]

    def _take(self, car: Stored) -> Stored:
        self._taken.add(car.id)
        return car

    def _once(self, lines: Sequence[CarLine]) -> Iterator[CarLine]:
        """Without lines that share a key: nobody knows which of them is right."""
        places: dict[str, list[CarLine]] = defaultdict(list)
        for line in lines:
            places[key_of(line.car, self._key, self._empresa_id) or ""].append(line)
        must = {Key.CODE: "código", Key.CHASSIS: "chassi"}.get(self._key)
        for line in lines:
            key = key_of(line.car, self._key, self._empresa_id)
            if key is None and must is not None:
                self._refuse(line, f"falta o {must}, pelo qual os carros são reconhecidos")
            elif key is not None and len(places[key]) > 1:
                others = [str(other.place) for other in places[key][:4] if other is not line]
                text = f"o mesmo {self._key} está em {', '.join(others)}: deixe uma linha só"
                self._refuse(line, text)
            else:
                yield line

    def _refuse(self, line: CarLine, text: str) -> None:
        self.refused.append(Refused(place=line.place, problems=(text,), car=line.car))

    def _free(self) -> list[Stored]:
        """Cars that no line stands for yet and that have no other key of this kind."""
        free = [car for car in self._stored if car.id not in self._taken and car.key is None]
        return sorted(free, key=lambda car: (car.is_sold, car.id))

    def _exact(
        self, lines: Sequence[CarLine], left: Sequence[int], found: dict[int, Stored | None]
    ) -> list[int]:
        """The same looks and mileage: first with the same price, so that twins keep theirs."""
        for priced in (True, False):
            looks: dict[tuple[object, ...], list[Stored]] = defaultdict(list)
            for car in self._free():
                looks[_looks_of(car, priced=priced)].append(car)
            rest = []
            for index in left:
                alike = looks.get(_looks(lines[index].car, priced=priced))
                if alike:
                    found[index] = self._take(alike.pop(0))
                else:
                    rest.append(index)
            left = rest
        return list(left)

    def _near(
        self, lines: Sequence[CarLine], left: Sequence[int], found: dict[int, Stored | None]
    ) -> None:
        """What the file does not say counts as equal, and a few kilometres more. Only where one
        line and one car have nobody else; twins that cannot be told apart are refused."""
        groups: dict[tuple[str, str], list[Stored]] = defaultdict(list)
        for car in self._free():
            groups[_name(car.values["brand"], car.values["model"])].append(car)
        wanted: dict[int, list[Stored]] = {}
        wooed: Counter[int] = Counter()
        for index in left:
            group = groups.get(_name(lines[index].car.brand, lines[index].car.model), [])
            wanted[index] = [car for car in group if _may_be(lines[index].car, car)]
            wooed.update(car.id for car in wanted[index])
        for index, cars in wanted.items():
            if not cars:
                found[index] = None
            elif len(cars) == 1 and wooed[cars[0].id] == 1:
                found[index] = self._take(cars[0])
            else:
                self._refuse(
                    lines[index],
                    f"parece com {len(cars)} carro(s) do estoque ({_ids(cars)}) e não dá para "
                    "saber qual é: ponha uma coluna Código ou complete cor, ano e km",
                )


def _ids(cars: Sequence[Stored]) -> str:
    return ", ".join(f"id {car.id}" for car in cars[:5])


def _name(brand: object, model: object) -> tuple[str, str]:
    return plain(str(brand or "")), plain(str(model or ""))


def _looks(car: CarRow, *, priced: bool) -> tuple[object, ...]:
    looks = (
        *_name(car.brand, car.model),
        car.year,
        car.year_model,
        plain(car.color or ""),
        car.mileage,
    )
    return (*looks, car.price) if priced else looks


def _looks_of(car: Stored, *, priced: bool) -> tuple[object, ...]:
    said = car.values
    looks = (*_name(said["brand"], said["model"]), said["year"], said["year_model"],
             plain(str(said["color"] or "")), said["mileage"])  # fmt: skip
    return (*looks, said["price"]) if priced else looks


def _may_be(line: CarRow, car: Stored) -> bool:
    if car.is_sold and not car.absent and line.status != "sold":
        return False
    for name in ("year", "year_model"):
        said, there = getattr(line, name), car.values[name]
        if said is not None and there is not None and said != there:
            return False
    if line.color and car.values["color"] and plain(line.color) != plain(str(car.values["color"])):
        return False
    there = car.values["mileage"]
    if line.mileage is None or not isinstance(there, int):
        return True
    return 0 <= line.mileage - there <= _DRIVEN_KM

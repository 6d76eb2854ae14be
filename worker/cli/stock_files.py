"""Reads a stock file: CSV, JSON or SQL. Called by `helix stock import`.

Says of each bad line its number and what is wrong; stores nothing.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from worker.cli.stock_rows import CarRow, car_of, column_of
from worker.cli.stock_sql import SqlError, read_inserts


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A line that cannot be imported. Of JSON, the number of the car in the file."""

    line: int
    text: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a file holds."""

    cars: list[CarRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def take(self, line: int, values: Mapping[str, object]) -> None:
        """One car, or a problem."""
        try:
            car = car_of(values)
        except ValueError as error:
            self.problems.append(Problem(line=line, text=str(error)))
            return
        if car.id is not None and any(car.id == other.id for other in self.cars):
            self.problems.append(Problem(line=line, text=f"id {car.id} is in the file twice"))
        self.cars.append(car)


def read_stock(path: Path) -> Reading:
    """By the ending of its name; .csv is also what has another ending."""
    text = _decoded(path.read_bytes())
    suffix = path.suffix.lower()
    if suffix == ".json":
        reading = _read_json(text)
    elif suffix == ".sql":
        reading = _read_sql(text)
    else:
        reading = _read_csv(text)
    if not reading.cars and not reading.problems:
        reading.problems.append(Problem(line=1, text="there are no cars in this file"))
    return reading


def _decoded(data: bytes) -> str:
    """UTF-8, or what Excel in Brazil writes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _read_csv(text: str) -> Reading:
    reading = Reading()
    first_line = text.partition("\n")[0]
    delimiter = max(";,\t", key=first_line.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(lines, [])
        for name in header:
            column_of(name)
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                text_ = f"{len(cells)} cells where the heading has {len(header)}"
                reading.problems.append(Problem(line=lines.line_num, text=text_))
                continue
            reading.take(lines.line_num, dict(zip(header, cells, strict=True)))
    except (ValueError, csv.Error) as error:
        reading.problems.append(Problem(line=max(lines.line_num, 1), text=str(error)))
    return reading


def _read_json(text: str) -> Reading:
    reading = Reading()
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        reading.problems.append(Problem(line=error.lineno, text=f"no JSON: {error.msg}"))
        return reading
    cars = value.get("cars") if isinstance(value, dict) else value
    if not isinstance(cars, list):
        reading.problems.append(Problem(line=1, text='a list of cars, or {"cars": [...]}'))
        return reading
    for number, car in enumerate(cars, 1):
        if isinstance(car, dict):
            reading.take(number, car)
        else:
            reading.problems.append(Problem(line=number, text="a car is a JSON object"))
    return reading


def _read_sql(text: str) -> Reading:
    """Cars with the photos that name their ids. Nothing of the file is executed."""
    reading = Reading()
    try:
        inserts = read_inserts(text)
    except SqlError as error:
        reading.problems.append(Problem(line=error.line, text=str(error)))
        return reading
    cars: dict[object, tuple[int, dict[str, object]]] = {}
    for row in inserts:
        if row.table == "cars":
            key = row.values.get("id")
            cars[object() if key is None else str(key)] = (row.line, dict(row.values))
    photos = [row for row in inserts if row.table == "car_images"]
    for row in sorted(photos, key=lambda row: _order(row.values)):
        owner = cars.get(str(row.values.get("car_id")))
        if owner is None:
            text_ = f"a photo of car {row.values.get('car_id')}, which is not in this file"
            reading.problems.append(Problem(line=row.line, text=text_))
            continue
        owner[1].setdefault("images", [])
        images = owner[1]["images"]
        if isinstance(images, list):
            images.append(row.values.get("url"))
    for line, values in cars.values():
        reading.take(line, values)
    return reading


def _order(values: Mapping[str, object]) -> tuple[int, int]:
    """The main photo first, then as numbered."""
    ordem = values.get("ordem")
    main = values.get("is_principal") in (1, "1", True)
    return (0 if main else 1, ordem if isinstance(ordem, int) else 0)

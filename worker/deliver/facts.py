"""What a reply states about cars, and whether it is still so. Called by `outbox`.

Compared twice: for all that is read, so that stale turns are taken anew together; and in the very
statement that claims a reply, so that a car sold a moment ago is not offered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import orjson

from schema.replies import ReplyKind
from tenancy.literals import Params
from tenancy.trips import Row

_CARS = """
    SELECT id, COALESCE(price, 0), COALESCE(status, 'available'), year, year_model, mileage
      FROM cars WHERE id IN %(ids)s
"""
_PHOTOS = "SELECT car_id, url FROM car_images WHERE car_id IN %(ids)s"
_A_CAR = " AND EXISTS (SELECT 1 FROM cars WHERE "
_A_PHOTO = """
       AND EXISTS (SELECT 1 FROM car_images WHERE car_id IN %(photo_of)s AND url = %(photo)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A car as a reply states it; None: it says nothing about that."""

    car_id: int
    status: str
    price: Decimal | None = None
    year: int | None = None
    model_year: int | None = None
    km: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """All that one reply states."""

    cars: tuple[Stated, ...] = ()
    photo: str | None = None
    """The address of a photo of one of them."""


def read_statement(facts: str | None, kind: str | None, media: str | None) -> Statement:
    """From the columns `fatos`, `tipo_conteudo` and `midia`."""
    if facts is None:
        return Statement()
    cars = tuple(
        Stated(
            car_id=fact["car_id"],
            status=fact["status"],
            price=None if fact["preco"] is None else Decimal(fact["preco"]),
            year=fact.get("ano"),
            model_year=fact.get("ano_modelo"),
            km=fact.get("km"),
        )
        for fact in orjson.loads(facts)
    )
    return Statement(cars=cars, photo=media if kind == ReplyKind.IMAGE and cars else None)


def asked_of(statements: Collection[Statement]) -> list[tuple[str, Params]]:
    """What must be read to compare these statements: cars, and photos where one is stated."""
    ids = sorted({car.car_id for stated in statements for car in stated.cars})
    asked: list[tuple[str, Params]] = [(_CARS, {"ids": ids})] if ids else []
    if any(stated.photo is not None for stated in statements):
        asked.append((_PHOTOS, {"ids": ids}))
    return asked


def moved(
    statements: Mapping[int, Statement], cars: Sequence[Row] = (), photos: Sequence[Row] = ()
) -> set[int]:
    """Keys of the statements that are no longer true, by the rows of what `asked_of` names."""
    now = {row[0]: row[1:] for row in cars}
    there = {(row[0], row[1]) for row in photos}
    return {key for key, stated in statements.items() if not _is_true(stated, now, there)}


def condition(stated: Statement) -> tuple[str, dict[str, object]]:
    """The same as SQL to follow a WHERE clause, with its parameters; '' where nothing is stated."""
    parts: list[str] = []
    params: dict[str, object] = {}
    for number, car in enumerate(stated.cars):
        columns, values = _columns(car, number)
        parts.append(_A_CAR + columns + ")")
        params |= values
    if stated.photo is not None:
        parts.append(_A_PHOTO)
        params |= {"photo_of": [car.car_id for car in stated.cars], "photo": stated.photo}
    return "".join(parts), params


def _columns(car: Stated, number: int) -> tuple[str, dict[str, object]]:
    stated: Sequence[tuple[str, str, object]] = (
        ("id", "id", car.car_id),
        ("status", "COALESCE(status, 'available')", car.status),
        ("price", "COALESCE(price, 0)", car.price),
        ("year", "year", car.year),
        ("model_year", "year_model", car.model_year),
        ("km", "mileage", car.km),
    )
    said = [(f"{name}_{number}", column, value) for name, column, value in stated
            if value is not None]  # fmt: skip
    sql = " AND ".join(f"{column} = %({name})s" for name, column, _ in said)
    return sql, {name: value for name, _, value in said}


def _is_true(
    stated: Statement,
    now: Mapping[int, tuple[object, ...]],
    photos: set[tuple[int, str]],
) -> bool:
    for car in stated.cars:
        row = now.get(car.car_id)
        said = (car.price, car.status, car.year, car.model_year, car.km)
        if row is None or row[1] != car.status:
            return False
        if any(what is not None and what != is_now for what, is_now in zip(said, row, strict=True)):
            return False
    return stated.photo is None or any((c.car_id, stated.photo) in photos for c in stated.cars)

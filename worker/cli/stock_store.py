"""Writes the cars of a file into a dealer's database. Called by `helix stock import`.

The caller owns the transaction: all or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenancy.lease import Connection
from worker.cli.stock_rows import CarRow

_COLUMNS = (
    "brand", "model", "year", "year_model", "price", "mileage", "color", "fuel_type",
    "transmission", "description", "status",
)  # fmt: skip
_IDS = "SELECT id FROM cars FOR UPDATE"
_ALIKE = """
    SELECT id FROM cars
     WHERE brand <=> %(brand)s AND model <=> %(model)s AND year <=> %(year)s
       AND year_model <=> %(year_model)s AND mileage <=> %(mileage)s AND color <=> %(color)s
     ORDER BY id
"""
_INSERT = """
    INSERT INTO cars (id, brand, model, year, year_model, price, mileage, color, fuel_type,
                      transmission, description, status)
    VALUES (%(id)s, %(brand)s, %(model)s, %(year)s, %(year_model)s, %(price)s, %(mileage)s,
            %(color)s, %(fuel_type)s, %(transmission)s, %(description)s,
            COALESCE(%(status)s, 'available'))
"""
_UPDATE = """
    UPDATE cars
       SET brand = COALESCE(%(brand)s, brand), model = COALESCE(%(model)s, model),
           year = COALESCE(%(year)s, year), year_model = COALESCE(%(year_model)s, year_model),
           price = COALESCE(%(price)s, price), mileage = COALESCE(%(mileage)s, mileage),
           color = COALESCE(%(color)s, color), fuel_type = COALESCE(%(fuel_type)s, fuel_type),
           transmission = COALESCE(%(transmission)s, transmission),
           description = COALESCE(%(description)s, description),
           status = COALESCE(%(status)s, status)
     WHERE id = %(id)s
"""
_DROP_PHOTOS = "DELETE FROM car_images WHERE car_id = %(id)s"
_ADD_PHOTOS = """
    INSERT INTO car_images (car_id, url, ordem, is_principal) VALUES (%s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file."""

    added: int
    changed: int
    """Cars that were there, whether a value changed or not."""
    photos: int


async def store(conn: Connection, cars: Sequence[CarRow]) -> Imported:
    """Stores all cars. One without an id is the same as one that is there, if brand, model, years,
    mileage and colour are; each car that is there stands for one line of the file at most.

    Raises what the database says of a value.
    """
    known = {int(row[0]) for row in await conn.fetch_all(_IDS)}
    taken = {car.id for car in cars if car.id is not None}
    added = photos = 0
    for car in cars:
        values: dict[str, object] = {name: getattr(car, name) for name in _COLUMNS}
        car_id = car.id if car.id is not None else await _alike(conn, values, taken)
        values["id"] = car_id
        if car_id is not None and car_id in known:
            await conn.execute(_UPDATE, values)
        else:
            await conn.execute(_INSERT, values)
            car_id = conn.last_id if car_id is None else car_id
            added += 1
        taken.add(car_id)
        if car.images is not None:
            photos += await _store_photos(conn, car_id, car.images)
    return Imported(added=added, changed=len(cars) - added, photos=photos)


async def _alike(conn: Connection, values: dict[str, object], taken: set[int]) -> int | None:
    """The car that is there already, if no other line of the file stands for it."""
    alike = await conn.fetch_all(_ALIKE, values)
    return next((int(row[0]) for row in alike if row[0] not in taken), None)


async def _store_photos(conn: Connection, car_id: int, urls: Sequence[str]) -> int:
    """The photos of the file in place of those that were there; the first one is the main one."""
    await conn.execute(_DROP_PHOTOS, {"id": car_id})
    rows = [(car_id, url, place, place == 0) for place, url in enumerate(urls)]
    return await conn.execute_many(_ADD_PHOTOS, rows)

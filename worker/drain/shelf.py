"""Keeps each dealer's stock and settings for a few seconds. Called by `worker.drain.turns`.

Staleness is bounded by `ttl_s`; a reply's facts are compared with the cars again when it is sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.profile import Profile, read_profile
from bot.stock import Stock
from bot.values import Car
from tenancy.lease import TenantConnection

_CARS = """
    SELECT id, brand, model, year, year_model, price, mileage, color, fuel_type, transmission,
           description, status
      FROM cars ORDER BY created_at DESC, id DESC
"""
_PHOTOS = """
    SELECT car_id, url FROM car_images WHERE url IS NOT NULL
     ORDER BY car_id, is_principal DESC, ordem, id
"""
_SETTINGS = "SELECT nome, valor FROM lucas_ajustes"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shelved:
    """What Lucas needs of a dealer, as it was read."""

    stock: Stock
    profile: Profile
    until: float


class Shelf:
    """Stocks by empresa id: two dealers may have cars of the same id."""

    def __init__(self, *, ttl_s: float, clock: Callable[[], float], most: int = 512) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._most = most
        self._stocks: OrderedDict[int, Shelved] = OrderedDict()
        self._forgotten = 0

    async def stock(self, conn: TenantConnection) -> Stock:
        """The stock of the empresa whose connection it is, at most `ttl_s` old."""
        return (await self.of(conn)).stock

    async def of(self, conn: TenantConnection) -> Shelved:
        """Stock and settings of the empresa whose connection it is, at most `ttl_s` old."""
        shelved = self._stocks.get(conn.empresa_id)
        if shelved is None or shelved.until <= self._clock():
            before = self._forgotten
            stock, profile = Stock.build(await read_cars(conn)), await read_settings(conn)
            shelved = Shelved(stock, profile, self._clock() + self._ttl_s)
            if before != self._forgotten:  # changed while it was read: good for this once
                return shelved
            self._stocks[conn.empresa_id] = shelved
            while len(self._stocks) > self._most:
                self._stocks.popitem(last=False)
        self._stocks.move_to_end(conn.empresa_id)
        return shelved

    def forget(self, empresa_id: int) -> None:
        """Something of this empresa changed: it is read at its next turn."""
        self._forgotten += 1
        self._stocks.pop(empresa_id, None)


async def read_settings(conn: TenantConnection) -> Profile:
    """The dealer's own settings; what cannot be read is logged and its default holds."""
    rows = dict(await conn.fetch_all(_SETTINGS))
    profile, bad = read_profile(rows)
    if bad:
        log.warning("settings of Lucas not understood", empresa_id=conn.empresa_id, names=bad)
    return profile


async def read_cars(conn: TenantConnection) -> list[Car]:
    """All cars, sold ones too (Lucas must know that they are gone), newest first, with photos."""
    photos: dict[int, list[str]] = {}
    for car_id, url in await conn.fetch_all(_PHOTOS):
        photos.setdefault(car_id, []).append(url)
    return [
        Car(
            id=row[0],
            marca=row[1] or "",
            modelo=row[2] or "",
            ano=row[3],
            ano_modelo=row[4],
            preco=row[5],
            km=row[6],
            cor=row[7],
            combustivel=row[8],
            cambio=row[9],
            descricao=row[10],
            status=row[11] or "available",
            fotos=tuple(photos.get(row[0], ())),
        )
        for row in await conn.fetch_all(_CARS)
        if row[5] is not None  # a car without a price cannot be offered
    ]

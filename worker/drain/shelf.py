"""Keeps each dealer's stock and settings for a few seconds. Called by `worker.drain.turns`.

Staleness is bounded by `ttl_s`; a reply's facts are compared with the cars again when it is sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bot.dealer_rows import read_cars, read_settings
from bot.profile import Profile
from bot.stock import Stock
from tenancy.lease import TenantConnection


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

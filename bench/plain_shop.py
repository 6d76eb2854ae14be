"""What a job per message does over aiomysql pools, as a careful user writes it.

Called by the workers of `bench.plain_arq` and `bench.plain_saq`. READ COMMITTED, one transaction
for each message; a buyer's row is locked, so that two jobs of his do not answer at the same time.
Nothing keeps them in order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiomysql
import orjson
from pymysql.err import OperationalError

from bench import commits
from bench.plain_sql import Known, Statements
from bot.stock import Stock
from bot.values import Car, Dealer, Decision, Incoming, Turn
from schema.events import Event
from tenancy.registry import Registry
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.drain.turns import Decide

_STOCK_TTL_S = 5.0
_CONNECTIONS = 4
"""Per empresa, at most."""
_GOODBYE_S = 2.0
_ZONE = ZoneInfo("America/Sao_Paulo")
_SET_UP = "SET time_zone = '+00:00', tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 5"


class OnceMore(Exception):
    """A deadlock or a lock: the job is to be tried again in a moment."""


@dataclass(slots=True, kw_only=True)
class Dealership:
    """What is kept of an empresa: its pool, its name, its stock and until when it is good."""

    pool: Any
    channel_id: int
    dealer: Dealer
    cars: list[Car] = field(default_factory=list)
    stock: Stock = field(default_factory=lambda: Stock.build([]))
    until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What every job is given."""

    decide: Decide
    cached: bool
    registry: Registry
    dealerships: dict[int, Dealership]

    async def dealership(self, empresa_id: int, event: Event) -> Dealership:
        """Known, or looked up once."""
        if empresa_id not in self.dealerships:
            target = (config := await self.registry.tenant(empresa_id)).target
            channel = await self.registry.channel(event.gateway, event.channel or "")
            if channel is None:
                raise LookupError(f"no channel {event.channel!r}")
            pool = await aiomysql.create_pool(
                host=target.host, port=target.port, user=target.user, db=target.database,
                password=target.password.get_secret_value(), charset="utf8mb4", autocommit=True,
                init_command=_SET_UP, minsize=1, maxsize=_CONNECTIONS,
            )  # fmt: skip
            known = Dealership(
                pool=pool,
                channel_id=channel.id,
                dealer=Dealer(nome=config.nome, endereco=config.endereco),
            )
            self.dealerships.setdefault(empresa_id, known)
        return self.dealerships[empresa_id]

    async def stock(self, shop: Dealership, sql: Statements) -> Stock:
        """As the rows say; the index over them is made anew only when they have changed."""
        if not self.cached or shop.until <= time.monotonic():
            cars = await sql.cars()
            if cars != shop.cars:
                shop.cars, shop.stock = cars, Stock.build(cars)
            shop.until = time.monotonic() + _STOCK_TTL_S
        return shop.stock

    async def handle(self, empresa_id: int, body: str) -> None:
        """The job: one message as JSON. Raises OnceMore."""
        event = Event.model_validate_json(body)
        dealership = await self.dealership(empresa_id, event)
        async with dealership.pool.acquire() as conn:
            await conn.begin()
            try:
                async with conn.cursor() as cursor:
                    await _answer(self, dealership, Statements(cursor), event)
                await conn.commit()
            except OperationalError as error:
                await conn.rollback()
                raise OnceMore from error
            except BaseException:
                await conn.rollback()
                raise
        commits.note([event])

    async def close(self) -> None:
        """Ends the pools."""
        pools = [dealership.pool for dealership in self.dealerships.values()]
        for pool in pools:
            pool.terminate()
        # A job that was cancelled in mid-query may leave this waiting for ever.
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await asyncio.gather(*(pool.wait_closed() for pool in pools))


@asynccontextmanager
async def open_shop(decide: Decide, *, cached: bool) -> AsyncIterator[Shop]:
    """For the length of a worker's life."""
    async with open_tenancy(TenancySettings()) as tenancy:
        shop = Shop(decide=decide, cached=cached, registry=tenancy.registry, dealerships={})
        try:
            yield shop
        finally:
            await shop.close()


async def _answer(shop: Shop, dealership: Dealership, sql: Statements, event: Event) -> None:
    now = datetime.now(UTC)
    known = await sql.find_or_open(event, now)
    turn = known.turno + 1
    if not await sql.store(known, event, dealership.channel_id, turn, now):
        return  # it came twice
    stock = await shop.stock(dealership, sql)
    decision = _decide(shop.decide, known, event, stock, dealership.dealer, now)
    await sql.reply(known, event, dealership.channel_id, turn, decision, now)
    await sql.save(known, event, dealership.channel_id, turn, decision, now)


def _decide(
    decide: Decide, known: Known, event: Event, stock: Stock, dealer: Dealer, now: datetime
) -> Decision:
    turn = Turn(
        messages=(Incoming(kind=event.kind, text=event.text),),
        state=orjson.loads(known.estado) if known.estado else {},
        status=known.status,
        buyer_name=known.name,
    )
    return decide(turn, stock=stock, dealer=dealer, now=now.astimezone(_ZONE))

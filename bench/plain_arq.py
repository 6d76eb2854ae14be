"""The baseline: one arq job per message over aiomysql pools, as a careful user writes it.

`python -m bench.plain_arq trivial cached 50`: the answer, `cached` (the stock is read every 5 s, as
the product does) or `fresh` (with every message), jobs at the same time. JSON jobs, no results,
READ COMMITTED, one transaction per message; a buyer's row is locked, so that two jobs of his do not
answer at the same time. Nothing keeps them in order: plain arq has no notion of it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import aiomysql
import orjson
import uvloop
from arq import Retry, func
from arq.worker import Worker
from pymysql.err import OperationalError

from bench.answers import ANSWERS
from bench.child import work_from_go
from bench.plain_sql import Known, Statements
from bench.queues import ARQ_JOB
from bot.stock import Stock
from bot.values import Car, Dealer, Decision, Incoming, Turn
from schema.events import Event
from tenancy.registry import Registry
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.drain.turns import Decide
from worker.process import connect
from worker.settings import WorkerSettings

_STOCK_TTL_S = 5.0
_POLL_DELAY_S = 0.001
_GOODBYE_S = 2.0
_ZONE = ZoneInfo("America/Sao_Paulo")
_SET_UP = "SET time_zone = '+00:00', tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 5"


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
    connections: int
    """Per empresa, at most."""
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
                init_command=_SET_UP, minsize=1, maxsize=self.connections,
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


async def handle_message(ctx: dict[str, Any], empresa_id: int, body: str) -> None:
    """The arq job."""
    shop: Shop = ctx["shop"]
    event = Event.model_validate_json(body)
    dealership = await shop.dealership(empresa_id, event)
    async with dealership.pool.acquire() as conn:
        await conn.begin()
        try:
            async with conn.cursor() as cursor:
                await _answer(shop, dealership, Statements(cursor), event)
            await conn.commit()
        except OperationalError as error:  # a deadlock or a lock: once more
            await conn.rollback()
            raise Retry(defer=0.01 * ctx["job_try"]) from error
        except BaseException:
            await conn.rollback()
            raise


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


async def main(decide: Decide, *, cached: bool, max_jobs: int) -> None:
    """A worker process, from the moment that the parent says so."""
    redis = await connect(WorkerSettings())
    async with open_tenancy(TenancySettings()) as tenancy:
        shop = Shop(
            decide=decide,
            cached=cached,
            registry=tenancy.registry,
            connections=4,
            dealerships={},
        )
        worker = Worker(
            functions=[func(handle_message, name=ARQ_JOB, keep_result=0, max_tries=100)],
            redis_pool=redis,
            max_jobs=max_jobs,
            poll_delay=_POLL_DELAY_S,
            job_serializer=orjson.dumps,
            job_deserializer=orjson.loads,
            ctx={"shop": shop},
            log_results=False,
        )
        try:
            await work_from_go(worker)
        finally:
            for dealership in shop.dealerships.values():
                dealership.pool.terminate()
                # A job that was cancelled in mid-query may leave this waiting for ever.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GOODBYE_S):
                        await dealership.pool.wait_closed()
    await redis.aclose()


if __name__ == "__main__":
    answer, stock_is, jobs = sys.argv[1:4]
    run = partial(main, ANSWERS[answer], cached=stock_is == "cached", max_jobs=int(jobs))
    uvloop.run(run())

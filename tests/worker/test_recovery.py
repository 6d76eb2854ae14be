"""What breaks around real processes, and what is left in Redis afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import RedisDsn
from redis.asyncio import Redis

from dev.servers.redis_server import RedisServer
from tests.tenancy.installation import Installation
from tests.tenancy.peers import relay, until
from tests.worker.test_processes import BUYERS, Dealer, doubled, open_city
from worker.queue.keys import inbox

_WAITS = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = %s AND INFO LIKE %s"


async def test_7_a_worker_stopped_in_its_transaction_holds_nobody_up(
    installation: Installation, redis_url: str
) -> None:
    """SIGSTOP with locks in the dealer's database: the server ends that transaction, another worker
    answers; after CONT the sleeper writes nothing of what it held."""
    changes = {"WORKER_LEASE_S": "1", "TENANCY_STATEMENT_TIMEOUT_S": "2"}
    async with open_city(installation, redis_url, changes=changes) as city:
        sleeper = await city.stack.worker()
        async with _held(installation, city.one) as somebody_waits:
            await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
            await until(somebody_waits, within_s=60)
            os.kill(sleeper.pid, signal.SIGSTOP)
        await city.stack.worker()

        await city.one.phone.wait_for(1, timeout_s=50)
        os.kill(sleeper.pid, signal.SIGCONT)
        await city.one.phone.buyer_writes(BUYERS[1], "tem argo?")
        await city.stack.until(lambda: _answered(city.one, 2), timeout_s=60)

        assert await city.one.count("tipo = 'recebida'") == 2
        assert {decisions for _, _, decisions in await city.one.sent_turns()} == {1}
        assert await doubled(city.one) == 0
        assert sleeper.child.returncode is None


@asynccontextmanager
async def _held(installation: Installation, dealer: Dealer) -> AsyncIterator[Any]:
    """Whoever drains this dealer waits in its transaction until the block ends."""
    name = f"empresa_{dealer.empresa_id}_db"
    async with installation.server.connect(name) as holder, holder.cursor() as cursor:
        await cursor.execute("INSERT IGNORE INTO _leases (nome, epoca) VALUES ('drain_inbox', 1)")
        await holder.begin()
        await cursor.execute("SELECT epoca FROM _leases WHERE nome = 'drain_inbox' FOR UPDATE")

        async def somebody_waits() -> bool:
            rows = await installation.sql(_WAITS, (name, "%INTO _leases%"))
            return bool(rows[0][0])

        yield somebody_waits
        await holder.rollback()


async def test_1_2_a_web_killed_between_redis_and_its_200(
    installation: Installation, redis_url: str, redis: Redis
) -> None:
    """Redis has the event and the gateway never hears so: it pushes again, and there is one row."""
    at = RedisDsn(redis_url)
    async with (
        relay(at.host or "", at.port or 0) as way,
        open_city(installation, redis_url) as city,
    ):
        there = redis_url.replace(f":{at.port}/", f":{way.port}/")
        victim, base = await city.stack.web(REDIS_URL=there, WEB_REDIS_TIMEOUT_S="20")
        right = str(city.one.phone.webhook_url)
        city.one.phone.webhook_url = base + right[right.index("/webhook/") :]
        city.one.phone._pace = 0.05
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")  # all connections are open
        way.hold_answers()
        pushing = asyncio.create_task(city.one.phone.buyer_writes(BUYERS[1], "tem argo?"))

        async def has_both() -> bool:
            return bool(await redis.xlen(inbox(city.one.empresa_id)) == 2)

        await until(has_both, within_s=60)
        victim.kill()
        city.one.phone.webhook_url = right
        await pushing
        await until(lambda: _pushed(city.one, 3), within_s=60)
        await city.stack.worker()
        await city.stack.until(lambda: _answered(city.one, 2), timeout_s=60)

        assert [push.status for push in city.one.phone.pushes[:3]] == [200, 0, 200]
        assert await city.one.count("tipo = 'recebida'") == 2
        assert len(city.one.phone.outbox) == 2


async def test_1_a_full_redis_is_worked_off(
    installation: Installation, own_redis: RedisServer
) -> None:
    """OOM for every write, so that arq runs nothing: what stands on inboxes is answered all the
    same, also by a worker that starts meanwhile; with room again, all is as ever."""
    url = str(own_redis.dsn.get_secret_value())
    changes = {"WORKER_SWEEP_S": "0.2", "WORKER_LEASE_S": "1"}
    async with Redis.from_url(url) as redis, open_city(installation, url, changes=changes) as city:
        for dealer in city.dealers:
            dealer.phone.statuses = ()
            for buyer in BUYERS:
                await dealer.phone.buyer_writes(buyer, "tem argo?")
        await redis.config_set("maxmemory", 1)

        worker = await city.stack.worker()

        for dealer in city.dealers:
            await dealer.phone.wait_for(len(BUYERS), timeout_s=60)
            assert await redis.xlen(inbox(dealer.empresa_id)) == 0
        await redis.config_set("maxmemory", 0)
        await city.one.phone.buyer_writes(BUYERS[0], "e até 70 mil?")
        await city.one.phone.wait_for(len(BUYERS) + 1)
        assert worker.child.returncode is None
        for dealer in city.dealers:
            assert await doubled(dealer) == 0


@pytest.mark.parametrize("skew_s", [-60, 60])
async def test_a_workers_clock_is_a_minute_wrong(
    installation: Installation, redis_url: str, skew_s: int
) -> None:
    """Jobs that are due at once and turns that are due later are done in time, by Redis's clock."""
    changes = {"LUCAS_QUIET_COMPLETE_S": "0.3"}
    async with open_city(installation, redis_url, changes=changes) as city:
        worker = await city.stack.start(
            "worker", ["worker"], {"SKEW_S": str(skew_s)}, program="tests.worker.skewed"
        )
        line = await worker.wait_for("this machine's clock is not Redis's")
        assert line["ahead_s"] == pytest.approx(skew_s, abs=5)
        await worker.wait_for("worker ready")
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")

        await city.one.phone.wait_for(1, timeout_s=50)


async def test_1_all_but_the_inboxes_is_lost(
    installation: Installation, redis_url: str, redis: Redis
) -> None:
    """arq's queues and jobs, rings, due times, leases: the events are answered within seconds."""
    async with open_city(installation, redis_url) as city:
        for dealer in city.dealers:
            await dealer.phone.buyer_writes(BUYERS[0], "tem argo?")
        kept = {inbox(dealer.empresa_id).encode() for dealer in city.dealers}
        lost = set(await redis.keys()) - kept
        assert any(key.startswith(b"arq:job:") for key in lost)
        await redis.delete(*lost)

        await city.stack.worker()

        for dealer in city.dealers:
            await dealer.phone.wait_for(1, timeout_s=30)


async def _answered(dealer: Dealer, buyers: int) -> bool:
    stored = await dealer.count("tipo = 'recebida'")
    return stored == buyers and not await dealer.unanswered()


async def _pushed(dealer: Dealer, times: int) -> bool:
    return len(dealer.phone.pushes) >= times

"""A worker that is told to stop ends within its grace time and a second, whatever hangs."""

from __future__ import annotations

import asyncio
import signal
import time
from urllib.parse import urlsplit, urlunsplit

from redis.asyncio import Redis

from dev.chaos.proxy import HOST, Proxy
from schema.errors import TenantUnavailable
from tests.tenancy.installation import Installation
from tests.tenancy.peers import relay, until
from tests.worker.test_processes import BUYERS, open_city
from worker.queue.keys import Task, TaskKeys

_GRACE_S = 1
_HEARD_S = 10
"""The pause between two tries, the grace time, and much for a busy machine."""
_SLOW_S = 3
"""What hangs would hang for a minute; tests beside this one take the processor for a while."""


async def test_a_statement_that_hangs_does_not_hold_a_worker(
    installation: Installation, redis_url: str, redis: Redis
) -> None:
    """The dealer's server swallows everything in mid-work; SIGTERM ends the process all the same,
    and the next worker answers the buyer."""
    server = installation.server
    async with (
        relay(server.host, server.port) as way,
        open_city(installation, redis_url) as city,
    ):
        await installation.central(
            "UPDATE empresas SET db_port = %s, versao = versao + 1 WHERE id = %s",
            (way.port, city.one.empresa_id),
        )
        worker = await city.stack.worker(WORKER_GRACE_S=str(_GRACE_S))
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)
        way.swallow()
        await city.one.phone.buyer_writes(BUYERS[1], "tem argo?")
        lease = TaskKeys(city.one.empresa_id, Task.DRAIN).lease

        async def hangs() -> bool:
            return bool(await redis.exists(lease))

        await until(hangs)
        begun = time.monotonic()
        assert await worker.stop() == 0
        took_s = time.monotonic() - begun

        assert took_s < _GRACE_S + 1 + _SLOW_S
        way.restore()
        await city.stack.worker()
        await city.one.phone.wait_for(2)


async def test_a_stop_is_heard_while_redis_is_away(
    installation: Installation, redis_url: str
) -> None:
    """Between two tries to reach it nothing of arq runs that could hear the signal: it was lost,
    and once Redis was back the process stayed for ever, taking no job."""
    address = urlsplit(redis_url)
    async with Proxy(lambda: [(address.hostname or HOST, address.port or 6379)]) as way:
        through = urlunsplit(address._replace(netloc=f":{address.password}@{HOST}:{way.port}"))
        async with open_city(installation, through) as city:
            worker = await city.stack.worker(WORKER_GRACE_S=str(_GRACE_S))
            way.reset()
            await worker.wait_for("redis does not answer")

            worker.child.send_signal(signal.SIGTERM)  # once, as a service manager does
            way.heal()

            async with asyncio.timeout(_HEARD_S):
                assert await worker.child.wait() == 0


async def test_everything_that_can_hang_hangs(installation: Installation) -> None:
    """Leases, logins and registry reads against a mute network: the room closes within its grace
    time and a second, and leaves no task behind."""
    row = await installation.create(1)
    other = await installation.create(2)
    settings = installation.settings
    async with relay(settings.db_host, settings.db_port) as way:
        await installation.central("UPDATE empresas SET db_port = %s", (way.port,))
        before = asyncio.all_tasks()
        async with installation.tenancy(
            db_port=way.port, tenancy_registry_fresh_s=0, tenancy_connect_timeout_s=60
        ) as tenancy:

            async def use(empresa_id: int) -> None:
                async with tenancy.pools.connection(empresa_id) as conn:
                    await conn.fetch_one("SELECT 1")
                    held.append(empresa_id)
                    await go_on.wait()
                    await conn.fetch_one("SELECT 2")

            held: list[int] = []
            go_on = asyncio.Event()
            tasks = [asyncio.create_task(use(row.id)) for _ in range(3)]
            await until(lambda: _has(held, 3))
            way.swallow()
            go_on.set()
            tasks += [asyncio.create_task(use(other.id)) for _ in range(3)]
            tenancy.watch.changed(row.id, 9)
            tenancy.watch.missed()
            await asyncio.sleep(0)
            begun = time.monotonic()
        took_s = time.monotonic() - begun
        outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 1)

        assert took_s < 0.5 + 1 + _SLOW_S
        assert all(isinstance(outcome, Exception) for outcome in outcomes)
        assert any(isinstance(outcome, TenantUnavailable) for outcome in outcomes)
        assert asyncio.all_tasks() - before - set(tasks) <= {
            task for task in asyncio.all_tasks() if "_pump" in repr(task) or "accept" in repr(task)
        }


async def _has(items: list[int], count: int) -> bool:
    return len(items) >= count

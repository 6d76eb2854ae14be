"""Servers that go away and come back, under the real processes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from dev.servers import extra_mariadb
from dev.servers.redis_server import RedisServer
from tenancy.empresas import Profile
from tenancy.provision import Adoption, Provisioner
from tests.tenancy.installation import Installation
from tests.worker.test_processes import BUYERS, City, doubled, open_city


@pytest.mark.parametrize("end", [RedisServer.stop, RedisServer.kill], ids=["stopped", "killed"])
async def test_1_redis_goes_and_comes_back(
    installation: Installation, own_redis: RedisServer, end: Callable[[RedisServer], None]
) -> None:
    """What was accepted is answered, what was refused is pushed again; the processes live on."""
    url = str(own_redis.dsn.get_secret_value())
    changes = {"WORKER_LEASE_S": "1"}
    async with open_city(installation, url, changes=changes) as city:
        worker = await city.stack.worker()
        city.one.phone._pace = 0.05
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)

        end(own_redis)
        await city.one.phone.buyer_writes(BUYERS[1], "e agora?")
        await city.stack.until(lambda: _said(city, "redis does not answer"))
        assert {push.status for push in city.one.phone.pushes} == {200, 503}
        own_redis.start()

        await city.one.phone.wait_for(lambda outbox: len(outbox) == 2, timeout_s=30)
        assert worker.child.returncode is None
        assert city.web.child.returncode is None
        assert await city.one.count("tipo = 'recebida'") == 2


async def test_7_a_dealers_server_killed_and_started_again(
    installation: Installation, redis_url: str
) -> None:
    """Amid his messages: they wait meanwhile, and each is stored and answered once afterwards; the
    other dealer notices nothing."""
    with extra_mariadb() as server:
        there = server.access
        async with there.connect() as connection, connection.cursor() as cursor:
            await cursor.execute("CREATE DATABASE longe")
            await cursor.execute("CREATE USER longe@'%' IDENTIFIED BY 'segredo'")
            await cursor.execute("GRANT ALL ON longe.* TO longe@'%'")
        await Provisioner(installation.settings).adopt(
            installation.empresa_id(1),
            Profile(nome="Longe"),
            Adoption(
                host=there.host,
                port=there.port,
                database="longe",
                user="longe",
                password=SecretStr("segredo"),
            ),
        )
        async with open_city(
            installation,
            redis_url,
            adopted={1},
            changes={"WORKER_LEASE_S": "2", "WORKER_UNKNOWN_WAIT_S": "1"},
        ) as city:
            await city.stack.worker()
            for buyer in BUYERS[1:]:
                await city.one.phone.buyer_writes(buyer, "tem argo?")
            await city.one.phone.wait_for(1)
            server.kill()

            await city.one.phone.buyer_writes(BUYERS[0], "alguém aí?")
            await city.two.phone.buyer_writes(BUYERS[0], "tem argo?")
            await city.two.phone.wait_for(1)
            await city.stack.until(lambda: _said(city, "task waits"))
            assert BUYERS[0] not in {sent.to for sent in city.one.phone.outbox}
            server.start()

            async def all_answered() -> bool:
                stored = await city.one.count("tipo = 'recebida'")
                return stored == len(BUYERS) and not await city.one.unanswered()

            await city.one.phone.wait_for(
                lambda outbox: {sent.to for sent in outbox} == set(BUYERS), timeout_s=60
            )
            await city.stack.until(all_answered, timeout_s=60)
            assert {decisions for _, _, decisions in await city.one.sent_turns()} == {1}
            assert await doubled(city.one) <= 4  # the documented window, for those under way


async def _said(city: City, event: str) -> bool:
    lines = (line for process in city.stack.processes for line in process.lines)
    return any(line.get("event") == event for line in lines)


async def test_1_a_full_redis_makes_gateways_keep_events(
    installation: Installation, own_redis: RedisServer
) -> None:
    """`maxmemory` without eviction: 503, nothing lost; the processes live on and need nobody once
    there is room again."""
    url = str(own_redis.dsn.get_secret_value())
    async with open_city(installation, url) as city, Redis.from_url(url) as redis:
        worker = await city.stack.worker()
        city.one.phone._pace = 0.05
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)

        await redis.config_set("maxmemory", "1mb")
        await city.one.phone.buyer_writes(BUYERS[1], "e agora?")
        await city.stack.until(lambda: _refused(city))
        await redis.config_set("maxmemory", "0")

        await city.one.phone.wait_for(lambda outbox: len(outbox) == 2, timeout_s=30)
        assert {push.status for push in city.one.phone.pushes} == {200, 503}
        assert worker.child.returncode is None
        assert await city.one.count("tipo = 'recebida'") == 2


async def _refused(city: City) -> bool:
    return any(push.status == 503 for push in city.one.phone.pushes)

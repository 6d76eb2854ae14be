"""What a worker process tells an orchestrator, Prometheus and a person."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from schema.errors import TenantUnavailable
from tenancy.start import Tenancy
from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from tests.tenancy.peers import relay, until
from tests.worker.shop import event, open_shop
from tests.worker.test_processes import BUYERS, open_city
from worker.health import Health, health_server
from worker.presence import Workers
from worker.settings import WorkerSettings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _served(redis: Redis, tenancy: Tenancy) -> AsyncIterator[aiohttp.ClientSession]:
    port = _free_port()
    async with (
        health_server(Health(redis, tenancy), host="127.0.0.1", port=port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield client


async def _metrics(client: aiohttp.ClientSession) -> dict[tuple[str, tuple[str, ...]], float]:
    async with client.get("/metrics") as answer:
        text = await answer.text()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_sick_dealer_leaves_the_worker_ready(
    installation: Installation, redis: Redis
) -> None:
    """Its breaker shows in the metrics; Redis and the central database alone decide."""
    row = await installation.create()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refused
        dead_port = closed.getsockname()[1]
        await installation.central("UPDATE empresas SET db_port = %s", (dead_port,))
        async with installation.tenancy() as tenancy, _served(redis, tenancy) as client:
            for _ in range(4):
                with pytest.raises(TenantUnavailable):
                    async with tenancy.pools.connection(row.id):
                        pass

            async with client.get("/readyz") as ready, client.get("/healthz") as alive:
                assert (ready.status, alive.status) == (200, 200)
            metrics = await _metrics(client)
    host = row.place.host if row.place else ""
    assert metrics["helix_db_breaker_open", (f"{host}:{dead_port}",)] == 1


async def test_without_the_central_database_a_worker_is_not_ready(
    installation: Installation, redis: Redis
) -> None:
    """And it is again, by itself, when that is back; it lives all the while."""
    await installation.create()
    settings = installation.settings
    async with (
        relay(settings.db_host, settings.db_port) as way,
        installation.tenancy(db_port=way.port) as tenancy,
        _served(redis, tenancy) as client,
    ):
        seen = []
        for change in (way.restore, way.cut, way.restore):
            change()
            async with client.get("/readyz") as ready, client.get("/healthz") as alive:
                seen.append((ready.status, alive.status, (await ready.json())["central_database"]))

    assert seen == [(200, 200, True), (503, 200, False), (200, 200, True)]


async def test_the_figures_add_up(installation: Installation, redis: Redis) -> None:
    """Connections by state, waits, reuse and closings are what was done; labels stay few."""
    rows = [await installation.create(number) for number in range(1, 25)]
    async with (
        installation.tenancy(tenancy_max_per_host=3, tenancy_registry_fresh_s=60) as tenancy,
        _served(redis, tenancy) as client,
    ):
        host = f"{installation.settings.db_host}:{installation.settings.db_port}"
        async with tenancy.pools.connection(rows[0].id):
            before = await _metrics(client)  # a server shows once it was used
        for row in (*rows, *rows[-3:]):
            async with tenancy.pools.connection(row.id) as conn:
                await conn.fetch_one("SELECT 1")
        async with tenancy.pools.connection(rows[-1].id):
            after = await _metrics(client)
        shown = tenancy.figures()

    def rise(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert after["helix_db_connections", (host, "idle")] == 2
    assert after["helix_db_connections", (host, "in_use")] == 1
    assert after["helix_db_budget", (host,)] == 3
    assert after["helix_tenants_known", ()] == 24
    assert after["helix_tenants_active", ()] == 3
    assert rise("helix_db_closed_total", host, "stolen") == 21
    assert rise("helix_db_acquire_seconds_count", host) == 28
    waits = [labels for name, labels in after if name == "helix_tenant_waited_seconds"]
    assert len(waits) == 21
    assert ("other",) in waits
    assert sum(one.waits for one in shown.empresas) == 24


async def test_what_is_sent_waits_and_stops_is_counted(
    installation: Installation, redis: Redis, redis_url: str
) -> None:
    """By gateway and outcome, waits by cause, and the channels that are stopped anywhere."""
    async with open_shop(installation, redis_url) as shop, _served(redis, shop.tenancy) as client:
        before = await _metrics(client)
        await shop.handle(event("um"))
        shop.phone.fail_next(code=190)
        await shop.handle(event("dois"))
        await shop.deliver()
        after = await _metrics(client)

    def rise(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert rise("helix_sends_total", "cloud_api", "sent") == 1
    assert rise("helix_sends_total", "cloud_api", "stopped") == 1
    assert rise("helix_send_seconds_count", "cloud_api") == 2
    assert rise("helix_send_waits_total", "stopped") == 1
    assert rise("helix_channel_changes_total", "stopped", "cloud_api") == 1
    assert after["helix_channels_stopped", ()] == 1


async def test_statements_that_take_too_long_are_counted(
    installation: Installation, redis: Redis
) -> None:
    """And what was killed on the server because nobody waited for it any more."""
    row = await installation.create()
    async with installation.tenancy() as tenancy, _served(redis, tenancy) as client:
        async with tenancy.pools.connection(row.id):
            before = await _metrics(client)  # a server shows once it was used
        with pytest.raises(TenantUnavailable):
            async with tenancy.pools.connection(row.id) as conn:
                await conn._held().run("SELECT SLEEP(30)", deadline_s=0.05)
        host = f"{installation.settings.db_host}:{installation.settings.db_port}"
        killed = "helix_db_kills_total", (host, "killed")

        async def counted() -> bool:
            return (await _metrics(client)).get(killed, 0) > before.get(killed, 0)

        await until(counted)
        after = await _metrics(client)
    timeouts = "helix_db_statement_timeouts_total", (host,)
    assert after[timeouts] - before.get(timeouts, 0) == 1


async def test_helix_pools_shows_real_workers(
    installation: Installation, redis_url: str, redis: Redis
) -> None:
    """Servers, budgets and the slowest dealers, for programs and for people."""
    async with open_city(installation, redis_url) as city:
        port = _free_port()
        worker = await city.stack.worker(WORKER_HEALTH_PORT=str(port))
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)
        env = {**installation.environment(), "REDIS_URL": redis_url}

        async def shown() -> bool:
            found = await Workers(redis).reports()
            return any(report["slowest"] for report in found.values())

        await until(shown, within_s=20)
        ran = await helix("pools", "--json", env=env)
        assert ran.code == 0, ran.err
        for_people = await helix("pools", env=env)
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://127.0.0.1:{port}/readyz") as ready,
        ):
            assert ready.status == 200
        assert await worker.stop() == 0
        gone = await helix("pools", "--json", env=env)

    (host,) = ran.json["hosts"]
    assert (host["port"], host["budget"], host["breaker"]) == (
        installation.settings.db_port,
        installation.settings.tenancy_max_per_host,
        "closed",
    )
    assert city.one.empresa_id in [row["empresa"] for row in ran.json["slowest"]]
    assert str(city.one.empresa_id) in for_people.out
    assert (gone.json["workers"], gone.json["hosts"]) == ([], [])


def test_an_empty_port_is_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the settings example has it."""
    monkeypatch.setenv("WORKER_HEALTH_PORT", "")
    assert WorkerSettings().health_port is None

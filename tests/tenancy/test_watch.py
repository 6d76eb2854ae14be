"""Changes of the registry are followed without anybody's acquire failing."""

from __future__ import annotations

import asyncio
import random

import pytest

from schema.errors import CentralUnavailable, NotConfigured
from tenancy.fresh import FreshCache
from tenancy.hosts import HostGate
from tenancy.names import database_of
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.tenancy.peers import mute_server, relay, until

KEEPS = {"tenancy_registry_fresh_s": 300, "tenancy_acquire_timeout_s": 10}


async def _ask(tenancy: Tenancy, empresa_id: int) -> object:
    async with tenancy.pools.connection(empresa_id) as conn:
        return (await conn.fetch_all("SELECT empresa_id FROM _tenant"))[0][0]


async def _raise(installation: Installation, empresa_id: int, change: str) -> None:
    await installation.central(
        f"UPDATE empresas SET {change}, versao = versao + 1 WHERE id = %s",  # noqa: S608 - ours
        (empresa_id,),
    )


async def test_a_changed_version_is_found_without_a_message(installation: Installation) -> None:
    """A comparison of versions finds what no announcement told, and only that."""
    first, second = await installation.create(1), await installation.create(2)
    async with installation.tenancy(**KEEPS) as tenancy:
        for row in (first, second):
            await _ask(tenancy, row.id)
        pools = [tenancy.pools.pool(row.id) for row in (first, second)]
        await _raise(installation, first.id, "db_host = 'localhost'")

        assert await tenancy.watch.compare() == 1

        await until(lambda: _is_at(tenancy, first.id, "localhost"))
        assert pools[0] is not None
        assert pools[0].size == 0  # its idle connection was closed, with nobody asking for one
        assert tenancy.pools.pool(second.id) is pools[1]
        assert await tenancy.watch.compare() == 0


async def _is_at(tenancy: Tenancy, empresa_id: int, host: str) -> bool:
    return (await tenancy.registry.tenant(empresa_id)).target.host == host


async def test_a_move_under_load_fails_no_one(installation: Installation) -> None:
    """Twenty users go on while the database moves to another address and back, several times."""
    row = await installation.create()
    server = installation.server
    stop = asyncio.Event()
    async with (
        relay(server.host, server.port) as way,
        installation.tenancy(**KEEPS, tenancy_max_per_empresa=2) as tenancy,
    ):

        async def use() -> int:
            served = 0
            while not stop.is_set():
                assert await _ask(tenancy, row.id) == row.id
                served += 1
            return served

        async with asyncio.TaskGroup() as group:
            users = [group.create_task(use()) for _ in range(20)]
            versao = row.versao
            for port in (way.port, server.port, way.port, server.port):
                await _raise(installation, row.id, f"db_port = {port}")
                versao += 1
                tenancy.watch.changed(row.id, versao)
                gate = tenancy.pools.gate(server.host, port)

                async def used(gate: HostGate = gate) -> bool:
                    return gate.taken == 2

                await until(used)
            stop.set()

        assert min(user.result() for user in users) > 0
        other = tenancy.pools.gate(server.host, way.port)
        assert other.taken == 0


async def test_a_login_at_the_place_that_was_left_is_made_at_the_new_one(
    installation: Installation,
) -> None:
    """Who is connecting while the database moves away from a dead server is served at the new."""
    row = await installation.create()
    async with (
        mute_server() as mute_port,
        installation.tenancy(**KEEPS, tenancy_connect_timeout_s=0.5) as tenancy,
    ):
        await _raise(installation, row.id, f"db_port = {mute_port}")
        asking = asyncio.create_task(_ask(tenancy, row.id))

        async def connecting() -> bool:
            pool = tenancy.pools.pool(row.id)
            return pool is not None and pool.size == 1

        await until(connecting)
        await _raise(installation, row.id, f"db_port = {installation.server.port}")
        tenancy.watch.changed(row.id, row.versao + 2)

        assert await asking == row.id


async def test_a_suspended_empresa_is_closed_at_once(installation: Installation) -> None:
    """Its idle connections go when the change is heard; new callers get a clear error."""
    row = await installation.create()
    async with installation.tenancy(**KEEPS) as tenancy:
        await _ask(tenancy, row.id)
        await _raise(installation, row.id, "status = 'suspenso'")

        tenancy.watch.changed(row.id, row.versao + 1)

        async def closed() -> bool:
            return tenancy.pools.pool(row.id) is None and not await installation.processes()

        await until(closed)
        with pytest.raises(NotConfigured, match="suspenso"):
            await _ask(tenancy, row.id)


async def test_a_change_is_acknowledged_once_no_old_connection_is_left(
    installation: Installation,
) -> None:
    """Not before the last lease of the earlier configuration came back."""
    row = await installation.create()
    settled: list[tuple[int, int]] = []

    async def note(empresa_id: int, versao: int) -> None:
        settled.append((empresa_id, versao))

    async with installation.tenancy(**KEEPS) as tenancy:
        tenancy.watch.settled = note
        async with tenancy.pools.connection(row.id):
            await _raise(installation, row.id, "db_host = 'localhost'")
            tenancy.watch.changed(row.id, row.versao + 1)
            await until(lambda: _is_at(tenancy, row.id, "localhost"))
            assert settled == []

        async def acknowledged() -> bool:
            return bool(settled)

        await until(acknowledged)
        tenancy.watch.changed(row.id + 1, 7)  # nothing known, so nothing old can be in use
        await until(lambda: _has(settled, 2))
    assert settled == [(row.id, row.versao + 1), (row.id + 1, 7)]


async def _has(items: list[tuple[int, int]], count: int) -> bool:
    return len(items) == count


async def test_an_older_row_in_a_tasks_hands_is_not_gone_back_to(
    installation: Installation,
) -> None:
    """Who read the registry before the change does not bring the old connection back."""
    row = await installation.create()
    async with installation.tenancy(**KEEPS) as tenancy:
        old = await tenancy.registry.tenant(row.id)
        await _raise(installation, row.id, "db_host = 'localhost'")
        await tenancy.pools.follow(await tenancy.registry.renew(row.id))
        await _ask(tenancy, row.id)
        now = tenancy.pools.pool(row.id)
        tenancy.registry._tenants._store(row.id, old)

        assert await _ask(tenancy, row.id) == row.id

        assert tenancy.pools.pool(row.id) is now


async def test_a_missed_message_while_the_central_database_is_down(
    installation: Installation,
) -> None:
    """All is stale and nobody can be asked: known dealers go on with what was last true."""
    row = await installation.create()
    settings = installation.settings
    async with (
        relay(settings.db_host, settings.db_port) as way,
        installation.tenancy(**KEEPS, db_port=way.port) as tenancy,
    ):
        await _ask(tenancy, row.id)
        way.cut()
        tenancy.watch.missed()
        tenancy.watch.changed(row.id, row.versao + 1)

        assert await asyncio.gather(*(_ask(tenancy, row.id) for _ in range(20))) == [row.id] * 20

        await _raise(installation, row.id, "nome = 'Novo'")
        way.restore()
        assert await tenancy.watch.compare() == 1
        await until(lambda: _is_named(tenancy, row.id, "Novo"))
        assert database_of(row.id) == (await tenancy.registry.tenant(row.id)).target.database


async def _is_named(tenancy: Tenancy, empresa_id: int, nome: str) -> bool:
    return (await tenancy.registry.tenant(empresa_id)).nome == nome


async def test_an_hour_without_the_central_database() -> None:
    """Each question is answered, at once, and the dead registry is tried at most once a second."""
    now, reads = 0.0, 0
    down = False

    async def read(key: int) -> str:
        nonlocal reads
        reads += 1
        if down:
            raise CentralUnavailable("down")
        return f"empresa {key}"

    cache = FreshCache(read, fresh_s=5, clock=lambda: now)
    assert await cache.get(1) == "empresa 1"
    down, seed = True, random.Random(1)

    while now < 3600:
        now += seed.random()
        cache.stale(1) if seed.random() < 0.1 else None
        assert await cache.get(1) == "empresa 1"

    assert reads < 3600 * 1.4
    assert cache.old(3000) == 1
    down = False
    now += 2
    cache.stale(1)
    assert await cache.get(1) == "empresa 1"
    assert cache.old(1) == 0

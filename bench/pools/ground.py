"""A database server with dealers, for the pool part alone. Made by `bench.pools.run` and tests.

The server is one of its own, since its limits are raised: it must hold a connection per dealer.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from statistics import median

from bench.ground import run
from bench.pools.sizes import PoolPlan
from dev.fresh import fresh_settings
from dev.servers import MariaDB
from tenancy.admin import admin_target, make_empty_database, make_user, mark
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import Profile
from tenancy.faults import CentralFaults, TenantFaults
from tenancy.keyring import Keyring, password_of
from tenancy.lease import Connection
from tenancy.names import database_of, quoted, user_of
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings
from tenancy.target import Limits

_SPARE = 50
_TABLES = 10
"""Open tables per dealer; a server that closes them again measures itself."""
_ALONE = 10
"""Dealers that are opened one by one, for the time that it takes."""
_AT_ONCE = 4
_CLOSED_PORT = 1
_CAR = "INSERT INTO cars (brand, model, price) VALUES (%s, %s, %s)"
_CARS = [("Fiat", f"Argo {number}", 60_000 + number) for number in range(50)]
_ROW = """
    INSERT INTO empresas (id, nome, status, db_name, db_host, db_port, db_user, db_password)
    VALUES (%s, 'Auto Show Curitiba', 'ativo', %s, %s, %s, %s, %s)
"""
_MARKER = "CREATE TABLE _tenant LIKE {}._tenant"
_LEDGER = "CREATE TABLE _migrations LIKE {}._migrations"
_STEPS = "INSERT INTO _migrations SELECT * FROM {}._migrations"
COLD_QUERY = "SELECT id, brand, model, price FROM cars ORDER BY id LIMIT 50"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolGround:
    """Dealers with databases, and rows of the registry that lead to a closed port."""

    settings: TenancySettings
    dealers: range
    """The first ones are opened as `helix empresa create` does it and have cars; the others have a
    database with a user and a marker: enough to be connected to."""
    known: range
    provision_s: float
    """A new dealer with its database, one at a time: the median."""

    def environment(self) -> dict[str, str]:
        """For a child process."""
        settings = self.settings
        return {
            "DB_HOST": settings.db_host,
            "DB_PORT": str(settings.db_port),
            "DB_USER": settings.db_user,
            "DB_PASSWORD": settings.db_password.get_secret_value(),
            "DB_NAME": settings.db_name,
            "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
            "TENANCY_MAX_PER_HOST": str(settings.tenancy_max_per_host),
            "TENANCY_MAX_PER_PROCESS": str(settings.tenancy_max_per_process),
        }


@asynccontextmanager
async def pool_ground(server: MariaDB, plan: PoolPlan) -> AsyncIterator[PoolGround]:
    """`server`: one that goes with us; its limits are raised, and nothing is tidied up."""
    places = plan.dealers + _SPARE
    await run(
        server,
        f"SET GLOBAL max_connections = {2 * places}",
        f"SET GLOBAL table_open_cache = {_TABLES * places}",
        f"SET GLOBAL table_definition_cache = {_TABLES * places}",
    )
    settings = fresh_settings(server, tenancy_max_per_host=places, tenancy_max_per_process=places)
    dealers = range(1, 1 + plan.dealers)
    known = range(dealers.stop, dealers.stop + plan.known)
    whole = dealers[: plan.cold + 1]
    provision_s = await _open_whole(settings, whole)
    await _for_all(dealers[len(whole) :], lambda empresa_id: _open_light(settings, empresa_id))
    keyring = settings.keyring()
    rows = [
        _row(keyring, empresa_id, server.host, _CLOSED_PORT, f"senha-{empresa_id:032d}")
        for empresa_id in known
    ]
    async with direct(central_target(settings), Limits(), CentralFaults()) as conn:
        await conn.execute_many(_ROW, rows)
    yield PoolGround(settings=settings, dealers=dealers, known=known, provision_s=provision_s)


async def _open_whole(settings: TenancySettings, dealers: range) -> float:
    """With cars, so that afterwards the server has their tables open."""
    provisioner, took = Provisioner(settings), []

    async def open_one(empresa_id: int) -> None:
        begun = time.perf_counter()
        await provisioner.create(empresa_id, Profile(nome="Auto Show Curitiba"))
        took.append(time.perf_counter() - begun)
        async with _admin(settings, empresa_id, database_of(empresa_id)) as conn:
            await conn.execute_many(_CAR, _CARS)

    await open_one(dealers[0])  # makes the central database too
    took.clear()
    for empresa_id in dealers[1 : 1 + _ALONE]:
        await open_one(empresa_id)
    alone_s = median(took)
    await _for_all(dealers[1 + _ALONE :], open_one)
    return alone_s


async def _open_light(settings: TenancySettings, empresa_id: int) -> None:
    database, password = database_of(empresa_id), secrets.token_urlsafe(32)
    async with _admin(settings, empresa_id, None) as conn:
        await make_empty_database(conn, database)
        await make_user(
            conn, empresa_id, user=user_of(empresa_id), password=password, database=database
        )
    async with _admin(settings, empresa_id, database) as conn:
        await conn.execute(_MARKER.format(quoted(database_of(1))))
        await mark(conn, empresa_id)
        await conn.execute(_LEDGER.format(quoted(database_of(1))))
        await conn.execute(_STEPS.format(quoted(database_of(1))))
    row = _row(settings.keyring(), empresa_id, settings.db_host, settings.db_port, password)
    async with direct(central_target(settings), Limits(), CentralFaults()) as conn:
        await conn.execute_many(_ROW, [row])


def _admin(
    settings: TenancySettings, empresa_id: int, database: str | None
) -> AbstractAsyncContextManager[Connection]:
    target = admin_target(settings, settings.db_host, settings.db_port, database)
    return direct(target, Limits(), TenantFaults(empresa_id))


async def _for_all(dealers: range, use: Callable[[int], Awaitable[None]]) -> None:
    waiting = iter(dealers)

    async def some() -> None:
        for empresa_id in waiting:
            await use(empresa_id)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(some())


def _row(
    keyring: Keyring, empresa_id: int, host: str, port: int, password: str
) -> tuple[object, ...]:
    token = keyring.seal(password, purpose=password_of(empresa_id))
    return empresa_id, database_of(empresa_id), host, port, user_of(empresa_id), token

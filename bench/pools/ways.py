"""The three ways to a dealer's database that are measured. Used by `.measure` and `.memory`.

All of them read the registry through the product's own cache; so only the connections differ. The
baselines set up a session as `bench.plain_arq` does, without proof of whose database it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import aiomysql

from schema.errors import TenantUnavailable
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from tenancy.target import Target

_SET_UP = "SET time_zone = '+00:00', tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 5"
_GRACE_S = 1.0


class Way(Protocol):
    """One process's way to the databases of all dealers."""

    async def read_row(self, empresa_id: int) -> None:
        """The registry's row, for those that follow."""

    async def know(self, empresa_id: int) -> None:
        """All that is kept of a dealer without an open connection."""

    async def cycle(self, empresa_id: int, times: int) -> None:
        """Takes a connection and gives it back, by the pool's own methods."""

    async def lend(self, empresa_id: int, times: int) -> None:
        """The same as a job does it: by the dealer's id, in an `async with`."""

    async def ask(self, empresa_id: int, sql: str) -> None:
        """Takes one, reads all rows, gives it back."""


class Helix:
    """The product."""

    def __init__(self, tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._pools = tenancy.pools

    async def read_row(self, empresa_id: int) -> None:
        """See `Way`."""
        await self._tenancy.registry.tenant(empresa_id)

    async def know(self, empresa_id: int) -> None:
        """Of a dealer at a closed port: the pool stays, the connection never comes about."""
        try:
            async with self._pools.connection(empresa_id):
                raise AssertionError("a closed port let us in")
        except TenantUnavailable:
            if self._pools.pool(empresa_id) is None:
                raise

    async def cycle(self, empresa_id: int, times: int) -> None:
        """See `Way`."""
        await self.lend(empresa_id, 1)
        pool = self._pools.pool(empresa_id)
        if pool is None:
            raise RuntimeError(f"empresa {empresa_id} has no pool after its first use")
        for _ in range(times):
            pool.release(await pool.acquire())

    async def lend(self, empresa_id: int, times: int) -> None:
        """See `Way`."""
        pools = self._pools
        for _ in range(times):
            async with pools.connection(empresa_id):
                pass

    async def ask(self, empresa_id: int, sql: str) -> None:
        """See `Way`."""
        async with self._pools.connection(empresa_id) as conn:
            await conn.fetch_all(sql)


class AiomysqlPools:
    """A pool of aiomysql's per dealer, opened at the first use and kept."""

    def __init__(self, tenancy: Tenancy, *, most: int) -> None:
        """`most`: connections per dealer."""
        self._registry = tenancy.registry
        self._most = most
        self._pools: dict[int, Any] = {}
        self._opening = asyncio.Lock()

    async def read_row(self, empresa_id: int) -> None:
        """See `Way`."""
        await self._registry.tenant(empresa_id)

    async def know(self, empresa_id: int) -> None:
        """A pool without a connection."""
        await self._pool(empresa_id)

    async def cycle(self, empresa_id: int, times: int) -> None:
        """See `Way`."""
        pool = await self._pool(empresa_id)
        for _ in range(times):
            await pool.release(await pool.acquire())

    async def lend(self, empresa_id: int, times: int) -> None:
        """See `Way`."""
        for _ in range(times):
            async with (await self._pool(empresa_id)).acquire():
                pass

    async def ask(self, empresa_id: int, sql: str) -> None:
        """See `Way`."""
        async with (await self._pool(empresa_id)).acquire() as connection:
            await _read(connection, sql)

    async def close(self) -> None:
        """Ends all connections."""
        for pool in self._pools.values():
            pool.terminate()
            await pool.wait_closed()

    async def _pool(self, empresa_id: int) -> Any:
        return self._pools.get(empresa_id) or await self._opened(empresa_id)

    async def _opened(self, empresa_id: int) -> Any:
        async with self._opening:  # or each of many first users would open a pool
            if empresa_id not in self._pools:
                login = _login((await self._registry.tenant(empresa_id)).target)
                pool = await aiomysql.create_pool(minsize=0, maxsize=self._most, **login)
                self._pools[empresa_id] = pool
            return self._pools[empresa_id]


class FreshConnections:
    """Connects for every job, and keeps the dealer's row alone."""

    def __init__(self, tenancy: Tenancy) -> None:
        self._registry = tenancy.registry
        self._targets: dict[int, Target] = {}

    async def read_row(self, empresa_id: int) -> None:
        """See `Way`."""
        await self._target(empresa_id)

    async def know(self, empresa_id: int) -> None:
        """See `Way`."""
        await self._target(empresa_id)

    async def cycle(self, empresa_id: int, times: int) -> None:
        """See `Way`."""
        await self.lend(empresa_id, times)

    async def lend(self, empresa_id: int, times: int) -> None:
        """See `Way`."""
        for _ in range(times):
            async with self._connected(empresa_id):
                pass

    async def ask(self, empresa_id: int, sql: str) -> None:
        """See `Way`."""
        async with self._connected(empresa_id) as connection:
            await _read(connection, sql)

    @asynccontextmanager
    async def _connected(self, empresa_id: int) -> AsyncIterator[Any]:
        connection = await aiomysql.connect(**_login(await self._target(empresa_id)))
        try:
            yield connection
        finally:
            await connection.ensure_closed()

    async def _target(self, empresa_id: int) -> Target:
        target = self._targets.get(empresa_id)
        if target is None:
            target = (await self._registry.tenant(empresa_id)).target
            self._targets[empresa_id] = target
        return target


@asynccontextmanager
async def helix(settings: TenancySettings) -> AsyncIterator[Way]:
    """The product's pools."""
    async with open_tenancy(settings, grace_s=_GRACE_S) as tenancy:
        yield Helix(tenancy)


@asynccontextmanager
async def aiomysql_pools(settings: TenancySettings) -> AsyncIterator[Way]:
    """With as many connections per dealer as the product has."""
    async with open_tenancy(settings, grace_s=_GRACE_S) as tenancy:
        way = AiomysqlPools(tenancy, most=settings.tenancy_max_per_empresa)
        try:
            yield way
        finally:
            await way.close()


@asynccontextmanager
async def fresh_connections(settings: TenancySettings) -> AsyncIterator[Way]:
    """No pool at all."""
    async with open_tenancy(settings, grace_s=_GRACE_S) as tenancy:
        yield FreshConnections(tenancy)


Opened = Callable[[TenancySettings], AbstractAsyncContextManager[Way]]

HELIX = "helix"
AIOMYSQL = "aiomysql.Pool"
FRESH = "fresh connection"
WAYS: dict[str, Opened] = {HELIX: helix, AIOMYSQL: aiomysql_pools, FRESH: fresh_connections}


def _login(target: Target) -> dict[str, object]:
    return {
        "host": target.host,
        "port": target.port,
        "user": target.user,
        "password": target.password.get_secret_value(),
        "db": target.database,
        "autocommit": True,
        "init_command": _SET_UP,
    }


async def _read(connection: Any, sql: str) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(sql)
        await cursor.fetchall()

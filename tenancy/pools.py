"""Lends connections to the databases of all empresas. Made by `tenancy.start`, used by the worker.

One pool per empresa seen, one gate per server. A dealer whose database is dead or slow keeps only
its own callers waiting: nothing here is held while something is opened.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from schema.errors import NotConfigured
from tenancy.faults import TenantFaults
from tenancy.hosts import HostGate
from tenancy.kill import StatementKiller
from tenancy.lease import TenantConnection, in_transaction, on_loan
from tenancy.pool import ConnectionPool, PoolLimits, PoolRetired
from tenancy.registry import ACTIVE, Registry, TenantConfig
from tenancy.session import Session, open_session
from tenancy.target import Limits, Target

log = structlog.get_logger()


class _Tenant:
    """A pool together with the database that it leads to."""

    def __init__(self, target: Target, pool: ConnectionPool) -> None:
        self.target = target
        self.pool = pool


class TenantPoolManager:
    """Raises TenantUnavailable, TenantRefused, WrongTenant, NotConfigured, UnknownEmpresa."""

    def __init__(
        self,
        registry: Registry,
        killer: StatementKiller,
        limits: Limits,
        pool_limits: PoolLimits,
        *,
        max_per_host: int,
    ) -> None:
        self._registry = registry
        self._killer = killer
        self._limits = limits
        self._pool_limits = pool_limits
        self._max_per_host = max_per_host
        self._tenants: dict[int, _Tenant] = {}
        self._retired: list[ConnectionPool] = []
        self._gates: dict[tuple[str, int], HostGate] = {}
        self._closed = False

    @asynccontextmanager
    async def connection(self, empresa_id: int) -> AsyncIterator[TenantConnection]:
        """A connection on which every statement commits by itself."""
        session, pool = await self._acquire(empresa_id)
        conn = TenantConnection(session, empresa_id)
        async with on_loan(session, conn, pool.release):
            yield conn

    @asynccontextmanager
    async def transaction(self, empresa_id: int) -> AsyncIterator[TenantConnection]:
        """A connection in a transaction: COMMIT at the end, ROLLBACK when the block raises.

        Raises CommitUnknown when the answer to COMMIT got lost: repeat the idempotent unit.
        """
        session, pool = await self._acquire(empresa_id)
        conn = TenantConnection(session, empresa_id)
        async with on_loan(session, conn, pool.release), in_transaction(session):
            yield conn

    def pool(self, empresa_id: int) -> ConnectionPool | None:
        """The pool of an empresa that was used already, for its figures."""
        tenant = self._tenants.get(empresa_id)
        return None if tenant is None else tenant.pool

    def gate(self, host: str, port: int) -> HostGate:
        """The gate of a server."""
        return self._gates.setdefault((host, port), HostGate(self._max_per_host))

    async def close(self, empresa_id: int) -> None:
        """Closes an empresa's idle connections; those in use close when they come back."""
        tenant = self._tenants.pop(empresa_id, None)
        if tenant is not None:
            self._retire(tenant.pool)

    async def close_all(self, grace_s: float) -> None:
        """Admits no one any more, waits for the leases up to `grace_s`, then cuts the rest."""
        self._closed = True
        for empresa_id in list(self._tenants):
            await self.close(empresa_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await asyncio.gather(*(pool.emptied() for pool in self._retired))
        for pool in self._retired:
            pool.cut_all()
        self._retired.clear()

    def reap(self) -> None:
        """Closes connections that have been idle for too long."""
        for tenant in self._tenants.values():
            tenant.pool.reap()
        self._retired = [pool for pool in self._retired if pool.size]

    async def _acquire(self, empresa_id: int) -> tuple[Session, ConnectionPool]:
        while True:
            if self._closed:
                raise TenantFaults(empresa_id).unavailable("this process is stopping")
            config = await self._registry.tenant(empresa_id)
            pool = self._pool_of(config)
            with contextlib.suppress(PoolRetired):
                return await pool.acquire(), pool

    def _pool_of(self, config: TenantConfig) -> ConnectionPool:
        if config.status != ACTIVE:
            raise NotConfigured(config.empresa_id, f"its status is {config.status!r}")
        tenant = self._tenants.get(config.empresa_id)
        if tenant is None or tenant.target != config.target:
            if tenant is not None:
                log.info("database settings changed", empresa_id=config.empresa_id)
                self._retire(tenant.pool)
            tenant = self._tenants[config.empresa_id] = self._new(config)
        return tenant.pool

    def _new(self, config: TenantConfig) -> _Tenant:
        target = config.target
        faults = TenantFaults(config.empresa_id)

        async def open_one() -> Session:
            return await open_session(target, self._limits, faults, kill=self._killer.kill)

        pool = ConnectionPool(
            open_one, gate=self.gate(*target.address), limits=self._pool_limits, faults=faults
        )
        return _Tenant(target, pool)

    def _retire(self, pool: ConnectionPool) -> None:
        pool.retire()
        if pool.size:
            self._retired.append(pool)

"""Lends connections to the databases of all empresas. Made by `tenancy.start`, used by the worker.

One pool per empresa seen, one gate per server. A dealer whose database is dead or slow keeps only
its own callers waiting: nothing here is held while something is opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from schema.age import refuse_outdated
from schema.errors import HelixError, NotConfigured, WrongTenant
from schema.steps import Kind, needed, versions
from tenancy.breaker import State
from tenancy.ceiling import PoolLimits
from tenancy.faults import TenantFaults, Trouble, trouble_of
from tenancy.hosts import HostGate
from tenancy.kill import StatementKiller
from tenancy.lease import Connection, TenantConnection, in_transaction, on_loan
from tenancy.meter import PROCESS, meter_of
from tenancy.opening import open_session
from tenancy.places import Places
from tenancy.pool import ConnectionPool, PoolRetired
from tenancy.registry import Registry, TenantConfig
from tenancy.session import Session
from tenancy.target import Limits, Target

log = structlog.get_logger()


class _Tenant:
    """A pool together with the database that it leads to."""

    def __init__(self, target: Target, pool: ConnectionPool) -> None:
        self.target = target
        self.pool = pool
        self.review: asyncio.Task[bool] | None = None
        """Under way when the database does not fit the registry's row: whether that has changed."""


class TenantPoolManager:
    """Raises TenantUnavailable, TenantOutdated, TenantRefused, WrongTenant, NotConfigured,
    UnknownEmpresa."""

    def __init__(
        self,
        registry: Registry,
        killer: StatementKiller,
        limits: Limits,
        pool_limits: PoolLimits,
        *,
        max_per_host: int,
        max_per_process: int,
    ) -> None:
        self._registry = registry
        self._killer = killer
        self._limits = limits
        self._pool_limits = pool_limits
        self._max_per_host = max_per_host
        self.places = Places(max_per_process)
        """Of the whole process, over all servers."""
        self._tenants: dict[int, _Tenant] = {}
        self._retired: list[_Tenant] = []
        self._versions: dict[int, int] = {}
        """What `follow` was told last. A task may still hold an older configuration, read before
        the change: it asks again."""
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
        address = (host, port)
        gate = self._gates.get(address)
        if gate is None:
            gate = HostGate(Places(self._max_per_host), address=address, process=self.places)
            self._gates[address] = gate
        return gate

    def gates(self) -> dict[tuple[str, int], HostGate]:
        """The gates of all servers used so far."""
        return dict(self._gates)

    def all_pools(self, *, retired: bool = True) -> list[tuple[Target, ConnectionPool]]:
        """All pools, on demand also those whose last connections are still out."""
        tenants = [*self._tenants.values(), *(self._retired if retired else ())]
        return [(tenant.target, tenant.pool) for tenant in tenants]

    async def close(self, empresa_id: int) -> None:
        """Closes an empresa's idle connections; those in use close when they come back."""
        tenant = self._tenants.pop(empresa_id, None)
        if tenant is not None:
            self._retire(tenant)

    async def follow(self, config: TenantConfig) -> None:
        """Closes what an earlier configuration opened: idle connections now, used ones when they
        come back. Nobody's acquire fails of it, but for a suspended empresa."""
        self._versions[config.empresa_id] = config.versao
        if not config.is_open:
            await self.close(config.empresa_id)
        elif config.empresa_id in self._tenants:
            self._tenant_of(config)

    async def settled(self, empresa_id: int) -> None:
        """Waits until the last connection of an earlier configuration came back."""
        for tenant in list(self._retired):
            if tenant.target.empresa_id == empresa_id:
                await tenant.pool.emptied()

    async def close_all(self, grace_s: float) -> None:
        """Admits no one any more, waits for the leases up to `grace_s`, then cuts the rest."""
        self._closed = True
        reviews = [tenant.review for tenant in self._tenants.values() if tenant.review is not None]
        for review in reviews:
            review.cancel()
        for empresa_id in list(self._tenants):
            await self.close(empresa_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await asyncio.gather(*(tenant.pool.emptied() for tenant in self._retired))
        for tenant in self._retired:
            tenant.pool.cut_all()
        self._retired.clear()

    def reap(self) -> None:
        """Closes connections that have been idle for too long."""
        for tenant in self._tenants.values():
            tenant.pool.reap()
        self._retired = [tenant for tenant in self._retired if tenant.pool.size]

    async def _acquire(self, empresa_id: int) -> tuple[Session, ConnectionPool]:
        while True:
            if self._closed:
                raise TenantFaults(empresa_id).unavailable("this process is stopping")
            config = await self._registry.tenant(empresa_id)
            if config.versao < self._versions.get(empresa_id, 0):
                config = await self._registry.renew(empresa_id)
                await self.follow(config)
            tenant = self._tenant_of(config)
            try:
                return await tenant.pool.acquire(), tenant.pool
            except PoolRetired:
                continue
            except HelixError as error:
                if trouble_of(error) is not Trouble.CONFIG:
                    raise
                if not await self._has_changed(empresa_id, tenant, error):
                    raise

    async def _has_changed(self, empresa_id: int, tenant: _Tenant, error: HelixError) -> bool:
        """Whether the registry names another database by now; one question, however many ask."""
        if self._tenants.get(empresa_id) is not tenant:
            return True
        if tenant.pool.breaker.state is State.OPEN:
            return False
        review = tenant.review
        if review is None:
            review = tenant.review = asyncio.create_task(
                self._review(empresa_id, tenant, error), name=f"review-{empresa_id}"
            )
        await asyncio.wait({review})
        return review.cancelled() or review.result()  # cancelled: this process is stopping

    async def _review(self, empresa_id: int, tenant: _Tenant, error: HelixError) -> bool:
        changed = False
        PROCESS.reloads["refused"] += 1
        try:
            config = await self._registry.renew(empresa_id)
            changed = not config.is_open or config.target != tenant.target
        except HelixError as unknown:
            log.info("registry row not read again", empresa_id=empresa_id, reason=str(unknown))
        finally:
            tenant.review = None
            if not changed:
                tenant.pool.breaker.trip()
        if not changed:
            # A row that points at another dealer is an alarm; the rest waits for a person.
            level = logging.CRITICAL if isinstance(error, WrongTenant) else logging.ERROR
            log.log(level, "empresa on hold", empresa_id=empresa_id, reason=str(error),
                    wait_s=round(tenant.pool.breaker.retry_after_s, 1))  # fmt: skip
        return changed

    def _tenant_of(self, config: TenantConfig) -> _Tenant:
        if not config.is_open:
            raise NotConfigured(config.empresa_id, f"its status is {config.status!r}")
        tenant = self._tenants.get(config.empresa_id)
        if tenant is not None and tenant.target is config.target:
            return tenant
        if tenant is not None and tenant.target == config.target:
            tenant.target = config.target  # read again: next time one look is enough
            return tenant
        if tenant is not None:
            log.info("database settings changed", empresa_id=config.empresa_id)
            self._retire(tenant)
        tenant = self._tenants[config.empresa_id] = self._new(config)
        return tenant

    def _new(self, config: TenantConfig) -> _Tenant:
        target = config.target
        faults = TenantFaults(config.empresa_id)

        is_checked = False

        async def open_one() -> Session:
            """Once a pool has seen that the schema will do, it does: nothing takes steps back."""
            nonlocal is_checked
            session = await open_session(target, self._limits, faults, kill=self._killer.kill)
            if not is_checked:
                await _check_age(session, config.empresa_id)
                is_checked = True
            return session

        pool = ConnectionPool(
            open_one,
            gate=self.gate(*target.address),
            limits=self._pool_limits,
            faults=faults,
            empresa_id=config.empresa_id,
            meter=meter_of(target),
        )
        return _Tenant(target, pool)

    def _retire(self, tenant: _Tenant) -> None:
        tenant.pool.retire()
        if tenant.pool.size:
            self._retired.append(tenant)


async def _check_age(session: Session, empresa_id: int) -> None:
    """Raises TenantOutdated, or what the database raises; then the connection is closed."""
    conn = Connection(session)
    try:
        await refuse_outdated(conn, empresa_id, needed(versions(Kind.TENANT)))
    except BaseException:
        session.cut()
        raise
    finally:
        conn.expire()

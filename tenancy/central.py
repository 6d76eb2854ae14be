"""The connections to the central database. Used by `tenancy.registry` and by the worker room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tenancy.ceiling import PoolLimits
from tenancy.direct import direct
from tenancy.faults import CentralFaults
from tenancy.hosts import HostGate
from tenancy.kill import StatementKiller
from tenancy.lease import Connection, in_transaction, on_loan
from tenancy.opening import open_session
from tenancy.places import Places
from tenancy.pool import ConnectionPool
from tenancy.session import Session
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target

_CONNECTIONS = 8


class Central:
    """Lends connections to the central database. All errors of it are CentralUnavailable."""

    def __init__(self, settings: TenancySettings, killer: StatementKiller) -> None:
        self.target = central_target(settings)
        self._limits = Limits.of(settings)
        self._killer = killer
        # A gate of its own: dealers that fill the server of the same name must not lock us out.
        self.pool = ConnectionPool(
            self._open,
            gate=HostGate(Places(_CONNECTIONS)),
            limits=PoolLimits(
                size=_CONNECTIONS,
                acquire_s=settings.tenancy_acquire_timeout_s,
                idle_s=settings.tenancy_idle_s,
            ),
            faults=CentralFaults(),
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection on which every statement commits by itself."""
        session = await self.pool.acquire()
        async with on_loan(session, Connection(session), self.pool.release) as conn:
            yield conn

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: COMMIT at the end, ROLLBACK on an error."""
        session = await self.pool.acquire()
        async with (
            on_loan(session, Connection(session), self.pool.release) as conn,
            in_transaction(session),
        ):
            yield conn

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[Connection]:
        """A connection of one's own, closed afterwards: a lock that is taken on it ends with it."""
        async with direct(self.target, self._limits, CentralFaults()) as conn:
            yield conn

    async def _open(self) -> Session:
        return await open_session(
            self.target, self._limits, CentralFaults(), kill=self._killer.kill
        )


def central_target(settings: TenancySettings) -> Target:
    """Where the central database is."""
    return Target(
        host=settings.db_host,
        port=settings.db_port,
        user=settings.db_user,
        password=settings.db_password,
        database=settings.db_name,
    )

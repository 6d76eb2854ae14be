"""Whether the counts of the pools hold, at any moment and when nobody is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from dev.fuzz.report import Report
from dev.servers import MariaDB
from tenancy.hosts import HostGate
from tenancy.names import user_of
from tenancy.pool import ConnectionPool
from tenancy.start import Tenancy

_SETTLE_S = 4.0
"""Statements that nobody waits for are killed within a second. Not more than this: every five
seconds SLEEP looks by itself whether its client is still there."""
_SESSIONS = "SHOW PROCESSLIST"


class Books:
    """Of one tenancy on one server."""

    def __init__(
        self, tenancy: Tenancy, server: MariaDB, ids: tuple[int, ...], report: Report, *, size: int
    ) -> None:
        """`size`: the limit per empresa."""
        self._tenancy = tenancy
        self._server = server
        self._ids = ids
        self._report = report
        self._size = size

    @property
    def gate(self) -> HostGate:
        """Of the server."""
        return self._tenancy.pools.gate(self._server.host, self._server.port)

    def check_at_work(self) -> None:
        """At any await of anybody."""
        gate, sizes = self.gate, 0
        for pool in self._pools():
            sizes += pool.size
            if pool.size > self._size:
                self.fail(f"size {pool.size} of a pool is above {self._size}")
            if pool.waiting and (pool.idle or (self._may_grow(pool) and gate.taken < gate.budget)):
                self.fail(f"{pool.waiting} wait while {pool.idle} are idle of {pool.size}")
        if not sizes <= gate.taken <= gate.budget:
            self.fail(f"sizes {sizes}, taken {gate.taken}, budget {gate.budget}")
        process = self._tenancy.pools.places
        if not gate.taken >= process.taken <= process.budget:
            self.fail(f"process has taken {process.taken}")

    async def check_at_rest(self) -> None:
        """When nobody is at work: all places are idle connections, and the server has no others."""
        self.check_at_work()
        sizes = 0
        for pool in self._pools():
            sizes += pool.size
            if (pool.size, pool.in_use, pool.waiting) != (pool.idle, 0, 0):
                self.fail(f"at rest: {pool.size} places, {pool.idle} idle, {pool.waiting} wait")
        gate, process = self.gate, self._tenancy.pools.places
        if (gate.taken, gate.waiting) != (sizes, 0) or (process.taken, process.waiting) != (
            sizes,
            0,
        ):
            self.fail(f"at rest: {sizes} places, {gate.taken} taken, {gate.waiting} waited for")
        await self.check_sessions()

    async def check_sessions(self) -> None:
        """The server closes what we cut a moment later; what stays is leaked."""
        users = {user_of(empresa_id) for empresa_id in self._ids}
        found = known = 0
        try:
            async with (
                asyncio.timeout(_SETTLE_S),
                self._server.connect() as admin,
                admin.cursor() as cursor,
            ):
                while True:
                    await cursor.execute(_SESSIONS)
                    found = sum(row[1] in users for row in await cursor.fetchall())
                    known = sum(pool.size for pool in self._pools())
                    if found <= known:
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self._report.leaked += found - known
            self._report.note(f"{found} sessions on the server, {known} known")

    def _pools(self) -> Iterator[ConnectionPool]:
        for empresa_id in self._ids:
            pool = self._tenancy.pools.pool(empresa_id)
            if pool is not None:
                yield pool

    def _may_grow(self, pool: ConnectionPool) -> bool:
        return pool.size < self._size

    def fail(self, text: str) -> None:
        """Something is not as it must be."""
        self._report.invariant_failures += 1
        self._report.note(text)

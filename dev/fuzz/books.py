"""Whether the counts of the pools hold, at any moment and when nobody is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

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
    """Of one tenancy; the server may go by several names."""

    def __init__(
        self, tenancy: Tenancy, server: MariaDB, ids: tuple[int, ...], report: Report, *, size: int
    ) -> None:
        """`size`: the limit per empresa."""
        self._tenancy = tenancy
        self._server = server
        self._ids = ids
        self._report = report
        self._size = size

    def check_at_work(self) -> None:
        """At any await of anybody."""
        for address, gate in self._tenancy.pools.gates().items():
            sizes = 0
            for pool in self._pools(address):
                sizes += pool.size
                self._check_pool(pool, gate)
            if not sizes <= gate.taken <= gate.budget:
                self.fail(f"sizes {sizes}, taken {gate.taken}, budget {gate.budget}")
        process = self._tenancy.pools.places
        taken = sum(gate.taken for gate in self._gates())
        if not taken >= process.taken <= process.budget:
            self.fail(f"process has taken {process.taken}, its servers {taken}")

    async def check_at_rest(self) -> None:
        """When nobody is at work: all places are idle connections, and the servers have no others.
        A pool of an earlier configuration has none."""
        self.check_at_work()
        sizes = 0
        for pool in self._pools():
            sizes += pool.size
            if (pool.size, pool.in_use, pool.waiting) != (pool.idle, 0, 0):
                self.fail(f"at rest: {pool.size} places, {pool.idle} idle, {pool.waiting} wait")
        process = self._tenancy.pools.places
        taken = sum(gate.taken for gate in self._gates())
        waiting = process.waiting + sum(gate.waiting for gate in self._gates())
        if (taken, process.taken, waiting) != (sizes, sizes, 0):
            self.fail(
                f"at rest: {sizes} places, {taken} of servers and {process.taken} of the process"
                f" are taken, {waiting} waited for"
            )
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

    def _check_pool(self, pool: ConnectionPool, gate: HostGate) -> None:
        if pool.size > self._size:
            self.fail(f"size {pool.size} of a pool is above {self._size}")
        free = pool.size < self._size and gate.taken < gate.budget
        if pool.waiting and (pool.idle or free):
            self.fail(f"{pool.waiting} wait while {pool.idle} are idle of {pool.size}")

    def _gates(self) -> Iterable[HostGate]:
        return self._tenancy.pools.gates().values()

    def _pools(self, address: tuple[str, int] | None = None) -> Iterator[ConnectionPool]:
        """Of one server or all; those of earlier configurations as long as they have anything."""
        for target, pool in self._tenancy.pools.all_pools():
            if address in (None, target.address):
                yield pool

    def fail(self, text: str) -> None:
        """Something is not as it must be."""
        self._report.invariant_failures += 1
        self._report.note(text)

"""What the tasks of a run do with their connections. Used by `dev.fuzz.run`."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable

from dev.fuzz.cancel import CancelledAt
from dev.fuzz.report import Report
from schema.errors import NotConfigured, Transient
from tenancy.lease import Connection
from tenancy.start import Tenancy

_HANG_S = 30.0
_READ = "SELECT brand FROM cars ORDER BY id DESC LIMIT 3"
_SLOW = "SELECT brand FROM cars WHERE SLEEP(%s) = 0 ORDER BY id LIMIT 1"
_ADD = "INSERT INTO cars (brand) VALUES (%s)"
_AWAITS = 5
_BUSY = 4
"""So many of the empresas have half of the uses: theirs wait for each other."""
_CANCELS = 0.6


def one_of(ids: tuple[int, ...], chance: random.Random) -> int:
    """A busy one as often as any."""
    return chance.choice(ids[:_BUSY] if chance.random() < 0.5 else ids)


class Users:
    """Uses empresas at random; every row that it reads must carry its empresa's tag."""

    def __init__(
        self,
        tenancy: Tenancy,
        ids: tuple[int, ...],
        report: Report,
        chance: random.Random,
        *,
        after_each: Callable[[], None],
        excused: Callable[[int], bool],
    ) -> None:
        """`excused`: whether an empresa may be refused since its row says so."""
        self.added: Counter[int] = Counter()
        """Rows whose COMMIT was acknowledged."""
        self.last_refusal = ""
        self._pools = tenancy.pools
        self._ids = ids
        self._report = report
        self._chance = chance
        self._after_each = after_each
        self._excused = excused

    async def work(self, until: float) -> None:
        """One use after the other."""
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            await self._use_once()
            self._after_each()

    async def _use_once(self) -> None:
        # Most uses await less than ten times; the long ones, with a connect in them, up to forty.
        late = int(self._chance.expovariate(1 / _AWAITS))
        cancel_at = late if self._chance.random() < _CANCELS else None
        task = asyncio.ensure_future(self._cancelled_at(cancel_at))
        done, _ = await asyncio.wait({task}, timeout=_HANG_S)
        if not done:
            self._report.hangs += 1
            self._report.note("a use hangs: " + "; ".join(map(str, task.get_stack())))
            return
        if task.cancelled():
            self._report.cancelled += 1
        elif (error := task.exception()) is not None:
            if isinstance(error, NotConfigured) and self._excused(error.empresa_id):
                self._report.suspended += 1
                return
            if not isinstance(error, Transient):
                raise error
            self._report.refused += 1
            self.last_refusal = f"{type(error).__name__}: {error}"

    async def _cancelled_at(self, step: int | None) -> None:
        empresa_id = one_of(self._ids, self._chance)
        how = self._chance.choice(
            [self._read, self._read, self._add, self._slow, self._give_up, self._two]
        )
        await CancelledAt(how(empresa_id), step, chance=self._chance)

    async def _read(self, empresa_id: int) -> None:
        async with self._pools.connection(empresa_id) as conn:
            await self._ask(conn, empresa_id)

    async def _add(self, empresa_id: int) -> None:
        async with self._pools.transaction(empresa_id) as conn:
            await conn.execute(_ADD, (str(empresa_id),))
            await self._ask(conn, empresa_id)
        self._report.queries += 1
        self.added[empresa_id] += 1

    async def _slow(self, empresa_id: int) -> None:
        async with self._pools.connection(empresa_id) as conn:
            await self._ask(conn, empresa_id, _SLOW, (self._chance.random() / 20,))

    async def _give_up(self, empresa_id: int) -> None:
        """A deadline of the caller ends a statement that would go on for long on the server."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._chance.random() / 20):
                async with self._pools.connection(empresa_id) as conn:
                    await self._ask(conn, empresa_id, _SLOW, (60,))

    async def _two(self, empresa_id: int) -> None:
        """Two connections in one task, always in the same order: or two such tasks would wait for
        each other."""
        other = self._chance.choice(self._ids)
        if other <= empresa_id:
            await self._read(empresa_id)
            return
        async with self._pools.connection(empresa_id) as one:
            await self._ask(one, empresa_id)
            async with self._pools.connection(other) as two:
                await self._ask(two, other)
                await self._ask(one, empresa_id)

    async def _ask(
        self, conn: Connection, empresa_id: int, sql: str = _READ, params: tuple[object, ...] = ()
    ) -> None:
        rows = await conn.fetch_all(sql, params)
        self._report.queries += 1
        foreign = [row for row in rows if row != (str(empresa_id),)]
        if foreign or not rows:
            self._report.wrong_rows += max(1, len(foreign))
            self._report.note(f"empresa {empresa_id} read {foreign}")

"""Notices that the registry changed, and closes what older rows opened. Made by `tenancy.start`.

Three ways, for messages get lost: a change is announced (`changed`), the announcements were cut off
for a while (`missed`), and the versions of all rows are compared every half minute (`run`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from schema.errors import HelixError, NotConfigured, Transient, UnknownEmpresa
from tenancy.central import Central
from tenancy.meter import PROCESS
from tenancy.pools import TenantPoolManager
from tenancy.registry import Registry

log = structlog.get_logger()

_VERSIONS = "SELECT id, versao FROM empresas"
_EVERY_S = 30.0
_READS = 4
"""Rows read at the same time: after an outage all of them may have changed."""

Settled = Callable[[int, int], Awaitable[None]]
"""Told (empresa_id, versao) once nothing in this process uses an older row any more."""


async def _nobody(_empresa_id: int, _versao: int) -> None:
    """Nobody waits for this process."""


class ConfigWatch:
    """Where announcements go in. Every method returns at once; the work has tasks of its own."""

    def __init__(self, registry: Registry, pools: TenantPoolManager, central: Central) -> None:
        self._registry = registry
        self._pools = pools
        self._central = central
        self._turns = asyncio.Semaphore(_READS)
        self._tasks: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._look = asyncio.Event()
        self.settled: Settled = _nobody

    def changed(self, empresa_id: int, versao: int, *, cause: str = "announced") -> None:
        """An empresa's row or one of its channels changed; it is at least `versao` now."""
        key = empresa_id, versao
        if key in self._tasks:
            return
        PROCESS.reloads[cause] += 1
        task = asyncio.create_task(self._apply(*key), name=f"follow-{empresa_id}-{versao}")
        self._tasks[key] = task
        task.add_done_callback(lambda _task: self._tasks.pop(key, None))

    def missed(self) -> None:
        """Anything may have changed: all is asked again, and compared now."""
        self._registry.stale()
        self._look.set()

    async def run(self) -> None:
        """Compares until cancelled; the central database may come and go meanwhile."""
        while True:
            try:
                async with asyncio.timeout(_EVERY_S * random.uniform(0.8, 1.2)):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self.compare()
            except Transient as error:
                log.warning("versions not compared", reason=str(error))

    async def compare(self) -> int:
        """Follows each row whose version is not the one in use; returns how many there were."""
        async with self._central.connection() as conn:
            stored = {int(id_): int(versao) for id_, versao in await conn.fetch_all(_VERSIONS)}
        changed = [
            (empresa_id, stored.get(empresa_id, 0))
            for empresa_id, versao in self._registry.versions().items()
            if stored.get(empresa_id, 0) != versao
        ]
        for empresa_id, versao in changed:
            self.changed(empresa_id, versao, cause="compared")
        return len(changed)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _apply(self, empresa_id: int, versao: int) -> None:
        asked = self._registry.asked(empresa_id)
        self._registry.stale(empresa_id)
        if asked:
            try:
                async with self._turns:
                    versao = await self._follow(empresa_id) or versao
            except Transient as error:
                # Marked stale, so the next question and the next comparison try again.
                log.warning("change not followed", empresa_id=empresa_id, reason=str(error))
                return
        await self._pools.settled(empresa_id)
        try:
            await self.settled(empresa_id, versao)
        except HelixError as error:
            log.warning("change not acknowledged", empresa_id=empresa_id, reason=str(error))

    async def _follow(self, empresa_id: int) -> int | None:
        """The version in use now; None when there is no row that could be used."""
        try:
            config = await self._registry.renew(empresa_id)
        except (UnknownEmpresa, NotConfigured) as error:
            log.info("empresa out of service", empresa_id=empresa_id, reason=str(error))
            await self._pools.close(empresa_id)
            return None
        await self._pools.follow(config)
        return config.versao

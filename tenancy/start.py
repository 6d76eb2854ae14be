"""Puts the room together. Called once by each process, in its main()."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tenancy.ceiling import PoolLimits
from tenancy.central import Central
from tenancy.figures import Figures, figures
from tenancy.keyring import Keyring
from tenancy.kill import StatementKiller
from tenancy.pools import TenantPoolManager
from tenancy.registry import Registry
from tenancy.settings import TenancySettings
from tenancy.target import Limits, tls_context
from tenancy.watch import ConfigWatch

_GRACE_S = 5.0
_REAP_EVERY_S = 15.0
_LAST_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """All that other rooms need of this one."""

    registry: Registry
    pools: TenantPoolManager
    central: Central
    keyring: Keyring
    watch: ConfigWatch

    def figures(self) -> Figures:
        """How this process stands with servers and dealers now."""
        return figures(self.pools, self.registry)


@asynccontextmanager
async def open_tenancy(
    settings: TenancySettings, *, grace_s: float = _GRACE_S, last_s: float = _LAST_S
) -> AsyncIterator[Tenancy]:
    """Opens no connection yet. At the end all of them are closed, whatever hangs: leases have
    `grace_s` to come back, statements that are cut then have `last_s` to be ended on the server.
    """
    limits = Limits.of(settings)
    tls_context(settings.db_host, limits)  # a CA file that cannot be read is found now
    killer = StatementKiller(limits)
    central = Central(settings, killer)
    keyring = settings.keyring()
    registry = Registry(central, keyring, fresh_s=settings.tenancy_registry_fresh_s)
    pools = TenantPoolManager(
        registry,
        killer,
        limits,
        PoolLimits(
            size=settings.tenancy_max_per_empresa,
            acquire_s=settings.tenancy_acquire_timeout_s,
            idle_s=settings.tenancy_idle_s,
        ),
        max_per_host=settings.tenancy_max_per_host,
        max_per_process=settings.tenancy_max_per_process,
    )
    watch = ConfigWatch(registry, pools, central)
    chores = [
        asyncio.create_task(_reap(pools, central), name="tenancy-reaper"),
        asyncio.create_task(watch.run(), name="tenancy-watch"),
    ]
    try:
        yield Tenancy(registry=registry, pools=pools, central=central, keyring=keyring, watch=watch)
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await watch.close()
        await registry.close()
        await pools.close_all(grace_s)
        central.pool.retire()
        central.pool.cut_all()
        await killer.close(last_s)


async def _reap(pools: TenantPoolManager, central: Central) -> None:
    while True:
        await asyncio.sleep(_REAP_EVERY_S * random.uniform(0.8, 1.2))
        pools.reap()
        central.pool.reap()

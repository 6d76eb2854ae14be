"""What one empresa does or suffers is not noticed by the others.

Times are compared with times of the same run, the best of several tries: the machine is shared.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from schema.errors import TenantUnavailable
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.tenancy.peers import relay

_TRIES = 4
_SLACK_S = 0.002
"""A pause of the machine, in a figure of a millisecond."""


async def _use(tenancy: Tenancy, empresa_id: int, sql: str = "SELECT 42") -> None:
    async with tenancy.pools.connection(empresa_id) as conn:
        await conn.fetch_one(sql)


async def _p99(tenancy: Tenancy, ids: Sequence[int], times: int = 60) -> float:
    """Of one lease with one statement, in seconds; all empresas side by side."""
    taken: list[float] = []

    async def work(empresa_id: int) -> None:
        for _ in range(times):
            before = time.perf_counter()
            await _use(tenancy, empresa_id)
            taken.append(time.perf_counter() - before)

    await asyncio.gather(*map(work, ids))
    return sorted(taken)[len(taken) * 99 // 100]


@asynccontextmanager
async def _trouble(
    tenancy: Tenancy, empresa_id: int, *, jobs: int, sql: str = "SELECT 42"
) -> AsyncIterator[list[int]]:
    """Jobs that use the empresa without end, as workers do: put off when it is on hold."""
    done: list[int] = []

    async def work() -> None:
        while True:
            try:
                await _use(tenancy, empresa_id, sql)
            except TenantUnavailable as error:
                await asyncio.sleep(error.retry_after_s)
            done.append(empresa_id)

    tasks = [asyncio.create_task(work()) for _ in range(jobs)]
    try:
        yield done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_one_of_20_on_a_host_that_swallows_packets(installation: Installation) -> None:
    """Its jobs wait for their deadline, then for its next try; the 19 others never wait."""
    ids = [(await installation.create(number)).id for number in range(1, 21)]
    sick, well = ids[0], ids[1:]
    async with (
        relay(installation.server.host, installation.server.port) as way,
        installation.tenancy(tenancy_registry_fresh_s=60, tenancy_connect_timeout_s=1) as tenancy,
    ):
        await installation.central(
            "UPDATE empresas SET db_port = %s WHERE id = %s", (way.port, sick)
        )
        way.swallow()
        await _p99(tenancy, well)  # opens the connections
        for _ in range(_TRIES):
            alone = await _p99(tenancy, well)
            async with _trouble(tenancy, sick, jobs=30):
                beside = await _p99(tenancy, well)
            if beside <= 1.2 * alone + _SLACK_S:
                break
        else:
            raise AssertionError((alone, beside))
        gate = tenancy.pools.gate(installation.server.host, installation.server.port)
        assert gate.waiting == 0


async def test_one_noisy_empresa_of_11_on_a_server(installation: Installation) -> None:
    """It has 30 slow jobs and its own limit: they wait for each other, the others do not."""
    ids = [(await installation.create(number)).id for number in range(1, 12)]
    noisy, others = ids[0], ids[1:]
    async with installation.tenancy(
        tenancy_registry_fresh_s=60, tenancy_max_per_host=20
    ) as tenancy:
        await _p99(tenancy, others)
        for _ in range(_TRIES):
            alone = await _p99(tenancy, others)
            async with _trouble(tenancy, noisy, jobs=30, sql="SELECT SLEEP(0.03)") as done:
                await asyncio.gather(*(_use(tenancy, noisy) for _ in range(4)))
                beside = await _p99(tenancy, others, times=300)
            assert done  # it is served as well
            if beside <= 2 * alone + _SLACK_S:
                break
        else:
            raise AssertionError((alone, beside))


async def test_a_noisy_empresa_on_a_full_server_starves_no_one(installation: Installation) -> None:
    """Fewer places than empresas, and 30 jobs without end on one: the others take turns with it."""
    ids = [(await installation.create(number)).id for number in range(1, 6)]
    async with (
        installation.tenancy(
            tenancy_registry_fresh_s=60, tenancy_max_per_host=2, tenancy_acquire_timeout_s=2
        ) as tenancy,
        _trouble(tenancy, ids[0], jobs=30, sql="SELECT SLEEP(0.03)") as done,
    ):
        await _p99(tenancy, ids[1:], times=20)  # TenantUnavailable, had one waited for 2 s
        assert done

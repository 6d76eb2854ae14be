"""How long a thousand dealers take: `python -m bench.migrations [DEALERS]`.

Makes them (four at a time), adds one column to each by an instant ALTER (what `helix migrate` does,
ledgers and locks included), and looks once more with nothing to do. On a server of its own, whose
data are in FLEET_FOLDER: creating tables is a matter of the disk. CPU is told beside the time, ours
and the server's: that is what a machine that others use leaves comparable.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench.figures import NotTold, cpu_seconds
from dev.fresh import fresh_settings
from dev.servers import MariaDB, extra_mariadb
from dev.servers.client import HOME
from tenancy.empresas import Profile
from tenancy.fleet.run import FleetRun
from tenancy.fleet.values import RunState
from tenancy.names import database_of
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings

_AT_ONCE = 4
_TAKEN_BACK = "ALTER TABLE {}.conversations DROP COLUMN ritmo_em"
_FORGOTTEN = "DELETE FROM {}._migrations WHERE version = %s"
_TURN_PACE = 9
"""The tenant migration that adds the column, by one instant statement."""


def main() -> None:
    """Prints three times."""
    dealers = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    folder = Path(os.environ.get("FLEET_FOLDER", HOME))
    with extra_mariadb(folder) as server:
        uvloop.run(_measure(server.access, server.pid, range(1, dealers + 1)))


async def _measure(server: MariaDB, pid: int | None, ids: range) -> None:
    settings = fresh_settings(server, central="central")
    await _timed(pid, f"{len(ids)} dealers made", lambda: _make(settings, ids))
    await _take_back(server, ids)
    fleet = FleetRun(settings)
    await _timed(pid, "migrated by one instant column", lambda: _migrate(fleet, len(ids)))
    await _timed(pid, "nothing to do", lambda: _migrate(fleet, 0))


async def _timed(pid: int | None, what: str, work: Callable[[], Awaitable[None]]) -> None:
    began, cpu, there = time.monotonic(), time.process_time(), _cpu_of(pid)
    await work()
    took, used = time.monotonic() - began, time.process_time() - cpu
    print(f"{what}: {took:.2f} s, CPU {used:.2f} s here", end="")
    print("" if there is None else f", {(_cpu_of(pid) or there) - there:.2f} s at the server")


def _cpu_of(pid: int | None) -> float | None:
    try:
        return None if pid is None else cpu_seconds(pid)
    except NotTold:
        return None


async def _make(settings: TenancySettings, ids: range) -> None:
    provisioner, places = Provisioner(settings), asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            await provisioner.create(number, Profile(nome=f"Loja {number}"))

    async with asyncio.TaskGroup() as group:
        for number in ids:
            group.create_task(one(number))


async def _migrate(fleet: FleetRun, steps: int) -> None:
    report = await fleet.start()
    applied = sum(one.steps for one in report.outcomes)
    if report.state is not RunState.DONE or applied < steps:
        raise RuntimeError(f"{report.state}, {applied} steps, {report.reason}")


async def _take_back(server: MariaDB, ids: range) -> None:
    """As if that one migration had not been there yet."""
    async with server.connect() as connection, connection.cursor() as cursor:
        for number in ids:
            name = database_of(number)
            await cursor.execute(_TAKEN_BACK.format(name))
            await cursor.execute(_FORGOTTEN.format(name), (_TURN_PACE,))
        await connection.commit()


if __name__ == "__main__":
    main()

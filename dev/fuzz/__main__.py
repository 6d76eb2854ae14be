"""`make fuzz-pools`: FUZZ_SECONDS (600) and FUZZ_SEED (a new one) say how long and which choices.

Prints the seed, progress, and as last line one JSON object; ends with code 1 when anything in it
that must be 0 is not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog
import uvloop

from dev.fresh import fresh_settings
from dev.fuzz.ground import Ground
from dev.fuzz.report import Report
from dev.fuzz.run import fuzz
from dev.servers import Servers, ServersError, running
from tenancy.empresas import Profile
from tenancy.names import database_of, user_of
from tenancy.provision import Provisioner

_EMPRESAS = 50


async def main_async(servers: Servers, *, seconds: float, seed: int) -> Report:
    """The whole run, with dealers of its own."""
    async with prepared(servers, seed) as ground:
        loop = asyncio.get_running_loop()
        started = loop.time()

        told: list[str] = []

        def progress(report: Report) -> None:
            for note in report.notes[len(told) :]:
                print(note)
                told.append(note)
            print(f"{loop.time() - started:6.0f} s  {report.as_json()}", flush=True)

        return await fuzz(ground, seconds=seconds, seed=seed, progress=progress)


@asynccontextmanager
async def prepared(servers: Servers, seed: int) -> AsyncIterator[Ground]:
    """New dealers, removed afterwards."""
    server = servers.mariadb
    first = 40_000_000 * 64 // 2 + seed % 1_000_000 * 64
    ground = Ground(
        server=server,
        ids=tuple(range(first, first + _EMPRESAS)),
        settings=fresh_settings(server, central=f"fuzz_{uuid4().hex[:16]}"),
    )
    provisioner = Provisioner(ground.settings)
    try:
        for empresa_id in ground.ids:
            await provisioner.create(empresa_id, Profile(nome="Fuzz"))
        yield ground
    finally:
        await ground.rows(f"DROP DATABASE IF EXISTS `{ground.settings.db_name}`")
        for empresa_id in ground.ids:
            await ground.rows(f"DROP DATABASE IF EXISTS `{database_of(empresa_id)}`")
            await ground.rows(f"DROP USER IF EXISTS '{user_of(empresa_id)}'@'%'")


def main() -> int:
    """The exit code."""
    # Kills and retirements are noted by the thousand; what matters is in the report.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(2**31))
    print(f"seed {seed}: FUZZ_SEED={seed} FUZZ_SECONDS={seconds:g} make fuzz-pools", flush=True)
    try:
        with running() as servers:
            report = uvloop.run(main_async(servers, seconds=seconds, seed=seed))
    except ServersError as error:
        print(error, file=sys.stderr)
        return 1
    print(report.as_json(), flush=True)
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())

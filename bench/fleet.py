"""The part `fleet`: what many dealers cost on one machine, busy and idle. Called by `bench.parts`.

On a database server of its own: opens all dealers as `helix empresa create` does, sends a signed
webhook to each through a real `helix web`, drains them with one worker (Lucas answers, nothing is
sent), then looks at what all of it takes when nobody writes. Figures for docs/scale.md.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from unittest.mock import patch

from redis.asyncio import Redis

from bench.checks import WrongResult
from bench.contest import started
from bench.figures import NotTold, cpu_seconds
from bench.fleet_busy import busy
from bench.ground import Ground, run
from bench.redis_database import own_database, wipe
from bench.sizes import is_quick
from bench.webhook import free_port, until_ready, web_process
from dev.fresh import fresh_settings
from dev.servers import Servers, extra_mariadb
from dev.servers.mariadb import MariadbServer
from tenancy.empresas import Profile
from tenancy.names import database_of
from tenancy.provision import Provisioner
from worker.doctor.run import examine

_AT_ONCE = 4
_TABLES_PER_DEALER = 40
# 10.11 tells allocated blocks apart from the file's length, which may have holes.
_DISK = """
    SELECT SUM(ALLOCATED_SIZE) FROM information_schema.INNODB_SYS_TABLESPACES
     WHERE NAME LIKE 'empresa%'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """How far."""

    dealers: int
    messages: int
    """To each, from a buyer of its own; they wait together before a worker starts."""
    idle_s: float
    settle_s: float
    """A worker that has just started looks at all dealers once: that is not idle."""


FULL = FleetPlan(dealers=1000, messages=5, idle_s=20, settle_s=40)
QUICK = FleetPlan(dealers=60, messages=3, idle_s=3, settle_s=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What it came to. Memory in 2**20 bytes; None: this system does not tell."""

    dealers: int
    messages: int
    provision_s: float
    """All of them, four at a time."""
    disk_kb_each: float
    """Of a dealer's database with nothing in it but its tables."""
    webhook_s: float
    inbox_bytes_each: float
    """Of Redis's memory for a message that waits."""
    journal_bytes_each: float
    """Of Redis's append-only file for it."""
    redis_commands_in: float
    """That Redis counts for a message from the webhook to the inbox."""
    drain_s: float
    redis_commands_out: float
    """From the inbox to the answer in the dealer's database; polls of its queues are in it."""
    connections: int
    """Most that the database server had at once."""
    worker_mb: float | None
    worker_mb_before: float | None
    server_mb: float | None
    """The database server's process after all dealers were served."""
    idle_worker: float | None
    """Share of a core, with all dealers registered and nobody writing."""
    idle_web: float | None
    doctor_s: float
    """`helix doctor` over all of them."""

    def rows(self) -> Iterator[tuple[str, str]]:
        """For people."""
        for name in self.__slots__:
            value = getattr(self, name)
            yield name, "-" if value is None else f"{value:,}"


def fleet_plan_of(environment: Mapping[str, str]) -> FleetPlan:
    """BENCH_QUICK=1 for small sizes."""
    return QUICK if is_quick(environment) else FULL


async def fleet(
    servers: Servers, plan: FleetPlan, say: Callable[[str], object] = lambda _text: None
) -> Fleet:
    """All of it. Raises WrongResult."""
    with extra_mariadb() as server:
        async with own_database(servers.redis_url) as redis_url:
            ground = _ground(server, redis_url, plan)
            say(f"{plan.dealers:,} dealers are being opened, {_AT_ONCE} at a time ...")
            provision_s = await _provision(ground)
            ((disk,),) = await run(ground.mariadb, _DISK)
            say(f"opened in {provision_s:.1f} s")
            async with Redis.from_url(redis_url) as redis:
                await wipe(redis)
                under_load = await busy(server, ground, redis, plan.messages, say)
            idle = await _idle(ground, plan)
            doctor_s = await _doctor(ground)
        return Fleet(
            dealers=plan.dealers,
            messages=plan.dealers * plan.messages,
            provision_s=round(provision_s, 1),
            disk_kb_each=round(int(disk) / 1024 / plan.dealers, 1),
            idle_worker=idle[0],
            idle_web=idle[1],
            doctor_s=round(doctor_s, 2),
            **under_load,
        )


def _ground(server: MariadbServer, redis_url: str, plan: FleetPlan) -> Ground:
    first = random.SystemRandom().randrange(10_000_000, 30_000_000) * 64
    access = server.access
    settings = fresh_settings(access)
    ids = tuple(range(first, first + plan.dealers))
    return Ground(mariadb=access, settings=settings, redis_url=redis_url, empresa_ids=ids)


async def _provision(ground: Ground) -> float:
    tables = max(2000, len(ground.empresa_ids) * _TABLES_PER_DEALER)
    await run(
        ground.mariadb,
        f"SET GLOBAL table_open_cache = {tables}",
        f"SET GLOBAL table_definition_cache = {tables}",
    )
    provisioner = Provisioner(ground.settings)
    profile = Profile(nome="Auto Show Curitiba", endereco="Av. Sete de Setembro, 100, Curitiba")
    await provisioner.create(ground.empresa_ids[0], profile)  # makes the central database too
    waiting = iter(ground.empresa_ids[1:])

    async def some() -> None:
        for empresa_id in waiting:
            await provisioner.create(empresa_id, profile)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(some())
    return time.perf_counter() - began


async def _idle(ground: Ground, plan: FleetPlan) -> tuple[float | None, float | None]:
    """CPU of a worker and a web that have nothing to do."""
    command, port = (sys.executable, "-m", "worker", "worker"), free_port()
    async with Redis.from_url(ground.redis_url) as redis:
        await wipe(redis)
    sent = "UPDATE mensagens SET status = 'falhou' WHERE status = 'pendente'"
    for empresa_id in ground.empresa_ids:
        await run(ground.mariadb, sent, "COMMIT", database=database_of(empresa_id))
    async with (
        web_process(ground) as (_, web),
        started(ground, command, WORKER_HEALTH_PORT=str(port)) as worker,
    ):
        await until_ready(worker, port)
        await asyncio.sleep(plan.settle_s)
        try:
            before = cpu_seconds(worker.pid), cpu_seconds(web)
            await asyncio.sleep(plan.idle_s)
            after = cpu_seconds(worker.pid), cpu_seconds(web)
        except NotTold:
            return None, None
    used = [
        round((late - early) / plan.idle_s, 4) for early, late in zip(before, after, strict=True)
    ]
    return used[0], used[1]


async def _doctor(ground: Ground) -> float:
    with patch.dict(os.environ, ground.environment()):
        began = time.perf_counter()
        report = await examine({}, file=None)
        took = time.perf_counter() - began
    if report.dealers != len(ground.empresa_ids):
        raise WrongResult(f"the doctor looked at {report.dealers} dealers")
    return took

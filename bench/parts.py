"""Each part of the benchmark: measured, shown, written. Called by `bench.__main__`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass

from rich.console import Console

from bench import aims, delivery, plots, results, tables, turns
from bench.aims import Aim
from bench.fleet import fleet, fleet_plan_of
from bench.ground import prepared
from bench.latency import latency
from bench.machine import look
from bench.messages import messages
from bench.pools import report as pool_report
from bench.pools.run import pools
from bench.pools.sizes import pool_plan_of
from bench.report import lines, show
from bench.scaling import scaling
from bench.sizes import is_quick, plan_of, scale_of, steady_of
from bench.webhook import webhook
from dev.servers import Servers, extra_mariadb

_FEW = 8
"""Empresas where their number is all one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What every part is given."""

    servers: Servers
    environment: Mapping[str, str]
    console: Console

    @property
    def quick(self) -> bool:
        """Whether small sizes are asked for."""
        return is_quick(self.environment)


async def run_messages(run: Run) -> list[Aim]:
    """Throughput beside the rivals."""
    plan = plan_of(run.environment)
    async with prepared(run.servers, empresas=plan.spread.empresas) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
        found = await messages(ground, plan, run.console.print)
        found.append(await delivery.sent(ground, plan.delivered))
    made = lines(found)
    reached = list(aims.of_messages(made))
    show(run.console, made)
    tables.show_machine(run.console, machine)
    results.write("messages", made, aims=reached, machine=machine, quick=run.quick)
    plots.of_messages(made, quick=run.quick)
    return reached


async def run_latency(run: Run) -> list[Aim]:
    """At steady rates."""
    plan = steady_of(run.environment)
    async with prepared(run.servers, empresas=plan.empresas) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
        found = await latency(ground, plan, run.console.print)
        found.append(await delivery.whole_way(ground, 200, plan))
    reached = list(aims.of_latency(found))
    tables.show_latency(run.console, found)
    results.write("latency", found, aims=reached, machine=machine, quick=run.quick)
    plots.of_latency(found, quick=run.quick)
    return reached


async def run_webhook(run: Run) -> list[Aim]:
    """Of one web process."""
    async with prepared(run.servers, empresas=_FEW, cars=1) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
        found = await webhook(ground, seconds=2 if run.quick else 10)
    reached = list(aims.of_webhook(found))
    tables.show_webhook(run.console, found)
    results.write("webhook", found, aims=reached, machine=machine, quick=run.quick)
    return reached


async def run_scaling(run: Run) -> list[Aim]:
    """More of everything, and nothing."""
    plan = scale_of(run.environment)
    run.console.print(f"{plan.many:,} dealers are being opened ...")
    async with prepared(run.servers, empresas=plan.many) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
        found = await scaling(ground, plan, run.console.print)
    reached = list(aims.of_scaling(found))
    tables.show_scaling(run.console, found)
    results.write("scaling", found, aims=reached, machine=machine, quick=run.quick)
    return reached


async def run_fleet(run: Run) -> list[Aim]:
    """Many dealers on one machine."""
    async with prepared(run.servers, empresas=1, cars=1) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
    found = await fleet(run.servers, fleet_plan_of(run.environment), run.console.print)
    reached = list(aims.of_fleet(found))
    tables.show_fleet(run.console, found)
    results.write("fleet", found, aims=reached, machine=machine, quick=run.quick)
    return reached


async def run_pools(run: Run) -> list[Aim]:
    """On a server of its own; its aims are shown and written with it."""
    with extra_mariadb() as server:
        machine = await look(server.access, run.servers.redis_url)
        found = await pools(server.access, pool_plan_of(run.environment), run.console.print)
    pool_report.show(run.console, found)
    pool_report.write(found, machine)
    return []


async def run_turns(run: Run) -> list[Aim]:
    """Lucas alone, CPU time of one core."""
    rounds = turns.QUICK_ROUNDS if run.quick else turns.ROUNDS
    paces = [turns.measure(cars, rounds=rounds) for cars in turns.SIZES]
    run.console.print(turns.report(paces))
    made = list(aims.of_turns(paces))
    results.write("turns", [asdict(pace) for pace in paces], quick=run.quick, aims=made)
    return made


PARTS: Mapping[str, Callable[[Run], Awaitable[list[Aim]]]] = {
    "messages": run_messages,
    "latency": run_latency,
    "webhook": run_webhook,
    "scaling": run_scaling,
    "fleet": run_fleet,
    "pools": run_pools,
    "turns": run_turns,
}
"""In the order in which they are measured."""

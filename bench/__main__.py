"""`make bench`: the product beside plain arq + aiomysql, in the same run on the same servers.

BENCH_QUICK=1: small sizes, a minute and a half. BENCH_ROUNDS=3: three rounds of the messages, the
median counts. BENCH_ONLY=messages or pools: one part. Ends with code 1 when a contestant loses,
doubles or (ours) reorders a message.
"""

from __future__ import annotations

import os
import sys

import uvloop
from rich.console import Console

from bench.checks import WrongResult
from bench.ground import prepared
from bench.machine import look
from bench.messages import messages
from bench.pools import report as pool_report
from bench.pools.memory import ChildFailed
from bench.pools.run import pools
from bench.pools.sizes import PoolPlan, pool_plan_of
from bench.report import lines, show, write
from bench.sizes import Plan, plan_of
from dev.servers import MariaDB, Servers, ServersError, extra_mariadb, running

_PARTS = ("all", "messages", "pools")


async def bench(servers: Servers, plan: Plan, console: Console) -> None:
    """Measures all, shows and writes the figures. Raises WrongResult."""
    empresas = max(plan.spread.empresas, plan.bursts.empresas)
    console.print(f"{empresas} dealers are being opened ...")
    async with prepared(servers, empresas=empresas) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
        results = await messages(ground, plan, console.print)
    made = lines(results)
    show(console, made, machine)
    written = write(made, machine)
    console.print(f"[dim]also in {written.relative_to(written.parents[2])}[/dim]")


async def bench_pools(server: MariaDB, servers: Servers, plan: PoolPlan, console: Console) -> None:
    """The pool part on a server of its own. Raises ChildFailed."""
    machine = await look(server, servers.redis_url)
    found = await pools(server, plan, console.print)
    pool_report.show(console, found)
    written = pool_report.write(found, machine)
    console.print(f"[dim]also in {written.relative_to(written.parents[2])}[/dim]")


def main() -> int:
    """The exit code."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    only = os.environ.get("BENCH_ONLY") or "all"
    if only not in _PARTS:
        console.print(f"BENCH_ONLY={only} is none of {', '.join(_PARTS)}")
        return 2
    try:
        with running() as servers:
            if only != "pools":
                uvloop.run(bench(servers, plan_of(os.environ), console))
            if only != "messages":
                with extra_mariadb() as server:
                    plan = pool_plan_of(os.environ)
                    uvloop.run(bench_pools(server.access, servers, plan, console))
    except (WrongResult, ChildFailed, ServersError) as error:
        console.print(f"[red]{error}[/red]", *getattr(error, "__notes__", ()), sep="\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

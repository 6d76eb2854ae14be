"""`make bench`: the product beside plain arq + aiomysql, in the same run on the same servers.

BENCH_QUICK=1: small sizes, a minute and a half. BENCH_ROUNDS=3: three rounds of the messages, the
median counts. BENCH_ONLY=messages, pools or turns: one part. Ends with code 1 when a contestant
loses, doubles or (ours) reorders a message.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import uvloop
from rich.console import Console

from bench import turns
from bench.checks import WrongResult
from bench.contest import Contestant, Result, helix, measure, plain_arq
from bench.ground import prepared
from bench.machine import look
from bench.pools import report as pool_report
from bench.pools.memory import ChildFailed
from bench.pools.run import pools
from bench.pools.sizes import PoolPlan, pool_plan_of
from bench.report import lines, show, write
from bench.sizes import Plan, Shape, plan_of
from dev.servers import MariaDB, Servers, ServersError, extra_mariadb, running

_PARTS = ("all", "messages", "pools", "turns")


def contests(plan: Plan) -> Iterator[tuple[Contestant, Shape]]:
    """Who is measured on what, in order; rivals on the same load come right after each other."""
    for _ in range(plan.rounds):
        for answer in ("trivial", "lucas"):
            yield helix(answer), plan.talks
            yield plain_arq(answer, cached=True), plan.talks
            if answer == "trivial":
                yield plain_arq(answer, cached=False), plan.talks
            yield helix(answer), plan.singles
            yield plain_arq(answer, cached=True), plan.singles


async def bench(servers: Servers, plan: Plan, console: Console) -> None:
    """Measures all, shows and writes the figures. Raises WrongResult."""
    results: list[Result] = []
    empresas = max(plan.talks.empresas, plan.singles.empresas)
    console.print(f"{empresas} dealers are being opened ...")
    async with prepared(servers, empresas=empresas) as ground:
        machine = await look(ground.mariadb, ground.redis_url)
        for contestant, shape in contests(plan):
            result = await measure(ground, contestant, shape)
            results.append(result)
            console.print(
                f"{shape.name}, {result.answer}: {result.contestant}"
                f" {result.per_second:,.0f} messages/s"
            )
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
    if only in ("all", "turns"):
        turns.main()
    if only == "turns":
        return 0
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

"""The whole pool part on a server of its own. Called by `bench.__main__`."""

from __future__ import annotations

from collections.abc import Callable

from bench.pools.gates import gates
from bench.pools.ground import pool_ground
from bench.pools.measure import contention, costs, first_queries
from bench.pools.memory import CONNECTED, KNOWN, measured
from bench.pools.report import Found
from bench.pools.sizes import PoolPlan
from bench.pools.ways import AIOMYSQL, HELIX
from dev.servers import MariaDB

Say = Callable[[str], None]


async def pools(server: MariaDB, plan: PoolPlan, say: Say = lambda _text: None) -> Found:
    """`server`: one of our own, that nobody needs afterwards. Raises ChildFailed."""
    say(f"{plan.dealers:,} dealers are being opened for the pools ...")
    async with pool_ground(server, plan) as ground:
        say("pools: what a loan costs ...")
        figures = await costs(ground, plan)
        say("pools: first queries ...")
        figures += await first_queries(ground, plan)
        say("pools: contention ...")
        figures += await contention(ground, plan)
        say("pools: memory ...")
        # A fresh connection keeps nothing, so there is nothing to be measured of it.
        memory = [
            await measured(ground, way, what)
            for what in (KNOWN, CONNECTED)
            for way in (HELIX, AIOMYSQL)
        ]
        return Found(
            plan=plan,
            figures=figures,
            memory=memory,
            gates=tuple(gates(ground, figures, memory)),
        )

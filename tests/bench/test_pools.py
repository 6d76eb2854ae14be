"""The pool part of the benchmark: every figure has its rival, and no failure passes for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from bench.__main__ import main
from bench.machine import look
from bench.pools.gates import Gate, gates
from bench.pools.ground import PoolGround, pool_ground
from bench.pools.measure import CYCLE, Figure, contend
from bench.pools.memory import CONNECTED, KNOWN, ChildFailed, Memory, measured
from bench.pools.report import show, write
from bench.pools.run import pools
from bench.pools.sizes import FULL, QUICK, PoolPlan, pool_plan_of
from bench.pools.ways import AIOMYSQL, HELIX, WAYS
from dev.servers import MariaDB, Servers, extra_mariadb
from schema.errors import UnknownEmpresa
from tenancy.settings import TenancySettings

_TINY = PoolPlan(dealers=8, known=50, cycles=100, asks=20, runs=2, cold=3, contention_s=0.1)


@pytest.fixture
def server() -> Iterator[MariaDB]:
    """One that nobody else uses: its limits are changed."""
    with extra_mariadb() as found:
        yield found.access


async def test_every_figure_has_its_rival(
    server: MariaDB, servers: Servers, tmp_path: Path
) -> None:
    """All of it in small, shown and written; the product and aiomysql.Pool side by side."""
    found = await pools(server, _TINY)

    rows = found.rows()
    assert len(rows) == 9 + 2 * 3
    assert all({HELIX, AIOMYSQL} <= set(values) for values in rows.values())
    assert sum(set(values) == set(WAYS) for values in rows.values()) == 6
    assert all(value >= 0 for values in rows.values() for value in values.values())
    costs = {figure.way: figure for figure in found.figures if figure.name == CYCLE}
    assert all(len(figure.runs) == _TINY.runs for figure in costs.values())
    assert all(figure.value > 0 for figure in costs.values())
    assert {one.count for one in found.memory if one.what == KNOWN} == {_TINY.known}
    assert len(found.gates) == 5
    assert {gate.scaled_from for gate in found.gates} == {None, _TINY.known, _TINY.dealers - 1}

    console = Console(width=140, record=True)
    show(console, found)
    assert "aiomysql.Pool" in console.export_text()
    written = write(found, await look(server, servers.redis_url), tmp_path / "pools.json")
    read = orjson.loads(written.read_bytes())
    assert len(read["gates"]) == 5
    assert server.password.get_secret_value() not in written.read_text()


async def test_what_fails_is_not_measured(server: MariaDB) -> None:
    """A way that reaches no database is an error, and so is a process that ends with one; tasks
    that contend are all served."""
    async with pool_ground(server, _TINY) as ground:
        nobody = ground.known.stop
        for opened in WAYS.values():
            async with opened(ground.settings) as way:
                with pytest.raises(UnknownEmpresa):
                    await way.ask(nobody, "SELECT 1")
        async with WAYS[HELIX](ground.settings) as way:
            with pytest.raises(AssertionError, match="let us in"):
                await way.know(ground.dealers[0])
            counts, times = await contend(way, ground.dealers[0], 0.1)
            assert len(counts) == 16
            assert min(counts) > 0
            assert len(times) == sum(counts)
        lost = replace(ground, dealers=range(nobody, nobody + 2))
        with pytest.raises(ChildFailed, match="UnknownEmpresa"):
            await measured(lost, HELIX, CONNECTED)


def test_a_small_run_is_scaled_and_says_so() -> None:
    """The aims are set for a thousand and for ten thousand dealers."""
    ground = PoolGround(
        settings=TenancySettings.model_construct(), dealers=range(1), known=range(1),
        provision_s=0.02,
    )  # fmt: skip
    figures = [
        Figure(name=name, way=way, value=value, unit="")
        for name in (CYCLE, "cold first query, p50")
        for way, value in ((HELIX, 5.0), (AIOMYSQL, 1.0))
    ]

    def memory(what: str, count: int, mb: float, seconds: float) -> Memory:
        return Memory(way=HELIX, what=what, count=count, rss_mb=mb, traced_mb=0, seconds=seconds)

    found = list(
        gates(ground, figures, [memory(KNOWN, 1000, 4.0, 1), memory(CONNECTED, 999, 9, 0.3)])
    )

    assert [gate.measured for gate in found] == [5.0, 5.0, 40.0, 0.3, 20.0]
    assert [gate.scaled_from for gate in found] == [None, None, 1000, None, None]
    assert [gate.met for gate in found] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("measured_us", "verdict"),
    [(4.0, "met"), (3.0, "met, 25 % below"), (4.02, "missed by 0.5 %"), (8.0, "missed by 100 %")],
)
def test_a_gate_says_by_how_much(measured_us: float, verdict: str) -> None:
    """A miss by little is a miss."""
    gate = Gate(name="any", limit=4, measured=measured_us, unit="µs")

    assert gate.verdict == verdict
    assert gate.met == verdict.startswith("met")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, FULL), ({"BENCH_QUICK": "0"}, FULL), ({"BENCH_QUICK": "1"}, QUICK)],
)
def test_sizes_come_from_the_environment(environment: dict[str, str], expected: PoolPlan) -> None:
    """As for the messages."""
    assert pool_plan_of(environment) == expected


def test_an_unknown_part_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any server is started."""
    monkeypatch.setenv("BENCH_ONLY", "pool")

    assert main() == 2

    assert "BENCH_ONLY=pool is none of messages, latency" in capsys.readouterr().out

"""The part `fleet` runs, and what it tells can be believed."""

from __future__ import annotations

from rich.console import Console

from bench.aims import of_fleet
from bench.fleet import FULL, QUICK, FleetPlan, fleet, fleet_plan_of
from bench.tables import show_fleet
from dev.servers import Servers
from dev.servers.redis_server import RedisServer


async def test_many_dealers_in_small(servers: Servers, own_redis: RedisServer) -> None:
    """Every message stands at its own dealer, or the part ends with an error; figures are real."""
    alone = servers.model_copy(update={"redis_dsn": own_redis.dsn})  # whose memory is measured
    found = await fleet(alone, FleetPlan(dealers=3, messages=2, idle_s=0.2, settle_s=0))

    assert (found.dealers, found.messages) == (3, 6)
    assert found.provision_s > 0
    assert found.disk_kb_each > 100
    assert found.inbox_bytes_each > 100
    assert found.redis_commands_in >= 1
    assert found.redis_commands_out > 1
    assert found.connections >= 3
    assert found.doctor_s > 0
    (aim,) = of_fleet(found)
    assert aim.limit == 0.09
    console = Console(width=100, record=True)
    show_fleet(console, found)
    assert "disk_kb_each" in console.export_text()


def test_sizes() -> None:
    """A thousand, unless it is to be quick."""
    assert fleet_plan_of({}) == FULL
    assert fleet_plan_of({"BENCH_QUICK": "1"}) == QUICK
    assert FULL.dealers == 1000

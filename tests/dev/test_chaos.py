"""The short form of `make chaos`: the whole fleet under faults for half a minute."""

from __future__ import annotations

from pathlib import Path

from dev.chaos.run import Progress, chaos
from dev.chaos.sizes import QUICK
from dev.servers import extra_mariadb, extra_redis

_SECONDS = 30
_SEED = 20


async def test_1_2_3_6_8_chaos_loses_doubles_and_mixes_nothing(tmp_path: Path) -> None:
    """20 dealers, 4 workers, 2 webs; kills, freezes, restarts, cuts: all is stored once, in order,
    in its own database, and every turn is answered."""
    shown: list[Progress] = []
    with extra_mariadb(tmp_path / "servers") as mariadb, extra_redis(tmp_path / "servers") as redis:
        report = await chaos(
            QUICK,
            mariadb,
            redis,
            seed=_SEED,
            seconds=_SECONDS,
            logs=tmp_path / "logs",
            show=shown.append,
        )

    assert report.wrong() == []
    assert report.faults >= 8
    assert report.accepted >= 100
    assert report.stored == report.accepted
    assert report.settled_s < QUICK.settle_s
    assert 0 < report.recovery_p99_s < 20
    assert {progress.stage for progress in shown} >= {"faults", "settling"}
    logs = list((tmp_path / "logs").iterdir())
    assert len(logs) > QUICK.workers + QUICK.webs  # some were started again

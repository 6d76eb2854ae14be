"""Alarms on real processes: `helix web`, `helix worker`, a webhook."""

from __future__ import annotations

import aiohttp
import pytest

from tests.alarm.receiver import SECRET, receiving
from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from tests.worker.test_processes import BUYERS, open_city


async def test_no_worker_is_told_by_the_web_and_over_once_one_runs(
    installation: Installation, redis_url: str
) -> None:
    """Nobody else could say it. Three workers tell what is wrong once."""
    async with receiving() as receiver:
        changes = {
            "ALARM_WEBHOOK_URL": receiver.url,
            "ALARM_WEBHOOK_SECRET": SECRET,
            "ALARM_EVERY_S": "0.1",
            "ALARM_HOLD_S": "0",
            "ALARM_BUYER_WAIT_S": "0.5",
        }
        async with open_city(installation, redis_url, changes=changes) as city:

            async def workers_told(event: str) -> bool:
                return (event, "workers", "") in receiver.told()

            await city.web.wait_for("alarm opened")
            env = {**installation.environment(), "REDIS_URL": redis_url}
            assert (await helix("status", env=env)).code == 2

            city.one.phone.statuses = ()
            city.one.phone.answer_delay_s = 3600  # it takes nothing in time
            for _ in range(3):
                await city.stack.worker()
            await city.stack.until(lambda: workers_told("over"))
            await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")

            async def buyer_told() -> bool:
                return any(kind == "buyer_waits" for _, kind, _ in receiver.told())

            await city.stack.until(buyer_told)

            told = [one for one in receiver.told() if one[1] == "buyer_waits"]
            assert told == [("opened", "buyer_waits", str(city.one.empresa_id))]
            assert receiver.told()[0] == ("opened", "workers", "")
            assert all(receiver.signed)
            log = str([line for process in city.stack.processes for line in process.lines])
            assert receiver.url not in log
            assert BUYERS[0] not in log


async def test_a_healthy_installation_is_green_and_a_scrape_says_how_it_stands(
    installation: Installation, redis_url: str
) -> None:
    """Exit code 0, one line for each part; metrics of all processes at each worker."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    async with open_city(
        installation, redis_url, changes={"ALARM_EVERY_S": "0.1", "WORKER_HEALTH_PORT": "0"}
    ) as city:
        worker = await city.stack.worker()
        address = (await worker.wait_for("health answers"))["address"]
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)

        ran = await helix("status", "--json", env=env)
        shown = await helix("status", env=env)

        assert (ran.code, ran.json["state"]) == (0, "ok"), ran.json
        parts = {line["part"] for line in ran.json["lines"]}
        assert parts >= {"workers", "web", "redis", "databases", "central database", "inbox",
                         "buyers", "dead letters", "alarm", "empresas", "channels"}  # fmt: skip
        assert shown.code == 0
        assert "✓" in shown.out
        assert "✗" not in shown.out
        assert BUYERS[0] not in ran.out + shown.out
        async with aiohttp.ClientSession() as client, client.get(f"{address}/metrics") as answer:
            metrics = await answer.text()
    for line in ("helix_workers 1.0", 'helix_alarms_open{kind="buyer_waits"} 0.0',
                 'helix_oldest_wait_seconds{whom="lucas"} 0.0',
                 "helix_backlog_events 0.0"):  # fmt: skip
        assert line in metrics


@pytest.mark.parametrize("setting", ["REDIS_URL", "DB_PORT"])
async def test_status_says_what_does_not_answer(
    installation: Installation, redis_url: str, setting: str
) -> None:
    """Redis or the central database down: a red first line, exit code 2, no traceback."""
    nobody = {"REDIS_URL": "redis://127.0.0.1:1/0", "DB_PORT": "1"}[setting]
    env = {**installation.environment(), "REDIS_URL": redis_url, setting: nobody}

    ran = await helix("status", "--json", env=env)

    assert ran.code == 2
    red = {line["part"] for line in ran.json["lines"] if line["level"] == "red"}
    assert ("redis" if setting == "REDIS_URL" else "central database") in red
    assert ran.json["lines"][0]["level"] == "red"
    assert "Traceback" not in ran.err

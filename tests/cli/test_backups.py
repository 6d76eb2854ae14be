"""Backups by themselves, as commands and workers start them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tenancy.life.settings import BackupSettings
from tests.cli.helix import helix
from tests.cli.test_empresa_life import environment
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop
from worker.clock import DEALERS_ZONE
from worker.life.nightly import Nightly


def tonight(env: dict[str, str]) -> dict[str, str]:
    """All dealers are due since this hour began."""
    hour = str(datetime.now(DEALERS_ZONE).hour)
    return {**env, "BACKUP_HOUR": hour, "BACKUP_SPREAD_MIN": "1"}


async def test_who_is_due_is_backed_up_by_one_of_two_that_wake_at_once(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """Two programs, one backup of each dealer, and a list that shows its age and proof."""
    rows = [await installation.create(number, nome=f"Loja {number}") for number in (1, 2)]
    env = tonight(environment(installation, redis_url, tmp_path))

    ran = await asyncio.gather(*(helix("empresa", "backup-due", "--json", env=env)
                                 for _ in range(2)))  # fmt: skip
    third = await helix("empresa", "backup-due", "--json", env=env)

    assert [one.code for one in ran] == [0, 0], [one.err for one in ran]
    made = [outcome for one in ran for outcome in one.json]
    assert sorted(one["empresa_id"] for one in made) == [row.id for row in rows]
    assert third.json == []
    listed = await helix("empresa", "backups", str(rows[0].id), "--json", env=env)
    (one,) = listed.json
    assert (one["verified_at"], one["age_h"] < 1) == (None, True)
    green = await helix("doctor", "--json", env=env)
    kinds = {finding["kind"] for finding in green.json["findings"]}
    assert not kinds & {"old_backup", "no_backup"}


async def test_a_failure_shows_in_exit_code_doctor_and_status(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """Who never had one is told apart from who is in danger."""
    first = await installation.create(1, nome="Loja 1")
    second = await installation.create(2, nome="Loja 2")
    env = tonight(environment(installation, redis_url, tmp_path))
    off = await helix("empresa", "backup-hour", str(second.id), "--off", "--json", env=env)
    assert off.json == {"id": second.id, "backup_hour": "off"}

    before = await helix("doctor", "--json", env=env)
    await installation.central("UPDATE empresas SET db_port = 1 WHERE id = %s", (first.id,))
    failed = await helix("empresa", "backup-due", "--json", env=env)
    after = await helix("doctor", "--json", env=env)
    status = await helix("status", "--json", env=env)

    assert failed.code == 1
    assert failed.json[0]["error"]
    assert _about_backups(before.json["findings"]) == [("no_backup", f"empresa {first.id}")]
    assert _about_backups(after.json["findings"]) == [("old_backup", f"empresa {first.id}")]
    (line,) = [one for one in status.json["lines"] if one["part"] == "backups"]
    assert line["level"] == "red"
    assert str(first.id) in line["text"]


def _about_backups(findings: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    return [(one["kind"], one["subject"]) for one in findings if "backup" in one["kind"]]


async def test_without_an_hour_nothing_is_done(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """Off is the default, and said so; one hour at a time."""
    row = await installation.create()
    env = environment(installation, redis_url, tmp_path)

    refused = await helix("empresa", "backup-due", env=env)
    both = await helix("empresa", "backup-hour", str(row.id), "--hour", "3", "--off", env=env)
    nobody = await helix("empresa", "backup-hour", "999999999", "--hour", "3", env=env)

    assert (refused.code, both.code, nobody.code) == (2, 2, 1)
    assert "BACKUP_HOUR" in refused.err


def program(folder: Path, body: str) -> list[str]:
    """In place of the round: a program of this test's own."""
    return [sys.executable, "-c", body.replace("FILE", repr(str(folder / "ran")))]


async def test_a_worker_starts_a_round_only_when_somebody_is_due(
    shop: Shop, tmp_path: Path
) -> None:
    """A start costs a second of a core: not every ten minutes for nothing."""
    settings = BackupSettings(hour=datetime.now(DEALERS_ZONE).hour, spread_min=1)
    command = program(tmp_path, "open(FILE, 'a').write('x')")
    now = datetime.now(UTC)

    async def ran(settings: BackupSettings) -> bool:
        nightly = Nightly(central=shop.tenancy.central, settings=settings, command=command,
                          now=lambda: now)  # fmt: skip
        return await nightly.run()

    assert await ran(settings)
    assert not await ran(BackupSettings())
    await shop.installation.central(
        "INSERT INTO copias (empresa_id, nome, feita_em, bytes) VALUES (%s, 'x', %s, 1)",
        (shop.empresa_id, now.replace(tzinfo=None)),
    )
    assert not await ran(settings)
    assert (tmp_path / "ran").read_text() == "x"


async def test_a_worker_that_stops_ends_its_round(shop: Shop, tmp_path: Path) -> None:
    """No program is left behind that nobody waits for."""
    settings = BackupSettings(hour=datetime.now(DEALERS_ZONE).hour, spread_min=1)
    fifo = tmp_path / "ran"
    os.mkfifo(fifo)
    body = "import os, signal; open(FILE, 'w').write(str(os.getpid())); signal.pause()"
    command = program(tmp_path, body)
    nightly = Nightly(central=shop.tenancy.central, settings=settings, command=command)

    running = asyncio.create_task(nightly.run())
    pid = int(await asyncio.to_thread(fifo.read_text))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

"""kill -9 of a command while MariaDB's programs are in the middle of it; then the same once more.

The programs are the real ones behind a valve: it stops after so many bytes, and says so.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.helix import Ran, helix
from tests.tenancy.life.ground import TRICKY, Ground

LARGE = 12_000
"""KiB in a dump, twice as many as hex: more than a store keeps in memory."""
_PATIENCE_S = 60


class Valve:
    """Both programs in a folder of their own, for PATH; one of them stands still in the middle."""

    def __init__(self, folder: Path, shut: str, after: int) -> None:
        self.folder = folder
        folder.mkdir()
        self._reached = folder / "reached"
        os.mkfifo(self._reached)
        os.mkfifo(folder / "never")
        for name in ("mariadb-dump", "mariadb"):
            real = shutil.which(name)
            assert real is not None
            stop = f"{{ head -c {after}; echo > {folder}/reached; read x < {folder}/never; }}"
            line = f'exec {real} "$@"'
            if name == shut:
                out = name == "mariadb-dump"
                line = f'{real} "$@" | {stop}' if out else f'{stop} | {real} "$@"'
            program = folder / name
            program.write_text(f"#!/bin/sh\n{line}\n")
            program.chmod(0o700)

    async def reached(self) -> None:
        """That many bytes have passed."""
        reading = asyncio.create_task(asyncio.to_thread(self._reached.read_text))
        done, _ = await asyncio.wait({reading}, timeout=_PATIENCE_S)
        if not done:
            with self._reached.open("r+b", buffering=0) as file:  # or the thread waits for ever
                file.write(b"not reached\n")
                await reading
        assert reading.result() == "\n"


@pytest.fixture
def orphans() -> Iterator[list[int]]:
    """Groups of processes whose command was killed; what lives of them ends with the test."""
    groups: list[int] = []
    yield groups
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def environment(ground: Ground, redis_url: str) -> dict[str, str]:
    """Of a command."""
    settings = ground.installation.settings
    assert settings.provision_db_user is not None
    assert settings.provision_db_password is not None
    return {
        **ground.installation.environment(),
        "PROVISION_DB_USER": settings.provision_db_user,
        "PROVISION_DB_PASSWORD": settings.provision_db_password.get_secret_value(),
        "REDIS_URL": redis_url,
        "BACKUP_STORE": str(ground.folder / "backups"),
        "MEDIA_STORE": str(ground.files),
        "TENANCY_REGISTRY_FRESH_S": "0",
    }


async def die_inside(
    ground: Ground, redis_url: str, valve: Valve, orphans: list[int], *words: str
) -> None:
    """The command is killed where the valve stands still. Its programs live on, as they do then."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", *words),
        env={**environment(ground, redis_url), "PATH": f"{valve.folder}:{os.environ['PATH']}"},
        start_new_session=True,
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    orphans.append(process.pid)
    await valve.reached()
    os.kill(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def again(ground: Ground, redis_url: str, *words: str) -> Ran:
    """The same command, undisturbed. Must succeed."""
    ran = await helix(*words, "--json", env=environment(ground, redis_url))
    assert ran.code == 0, ran.err
    return ran


def in_store(ground: Ground) -> list[str]:
    """Names of the files of all backups, whole or not."""
    return sorted(path.name for path in (ground.folder / "backups").rglob("*") if path.is_file())


@pytest.mark.parametrize("after", [2_000, 20_000_000])
async def test_a_dump_that_is_killed_in_the_middle(
    ground: Ground, redis_url: str, orphans: list[int], after: int
) -> None:
    """Nothing looks like a backup; the second run makes one, whole, and leaves no piece of the
    first."""
    row = await ground.dealer()
    await ground.make_large(row.id, LARGE)
    words = ("empresa", "backup", str(row.id))
    valve = Valve(ground.folder / "bin", "mariadb-dump", after)

    await die_inside(ground, redis_url, valve, orphans, *words)
    assert "manifest.json" not in in_store(ground)
    assert (await again(ground, redis_url, "empresa", "backups", str(row.id))).json == []

    made = (await again(ground, redis_url, *words)).json
    assert made["rows"]["fotos"] == LARGE
    assert in_store(ground) == ["dump.sql.zst.sealed", "manifest.json"]
    proved = (await again(ground, redis_url, "empresa", "verify-backup", str(row.id))).json
    assert proved["compared"] == "content"
    (listed,) = (await again(ground, redis_url, "empresa", "backups", str(row.id))).json
    assert listed["verified_at"] is not None
    assert 0 <= listed["age_h"] < 1


@pytest.mark.parametrize("after", [5_000, 20_000_000])
async def test_a_restore_that_is_killed_in_the_middle_of_its_load(
    ground: Ground, redis_url: str, orphans: list[int], after: int
) -> None:
    """He is served from where he was, though half a database is there; then the whole one is."""
    row = await ground.dealer()
    await ground.make_large(row.id, LARGE)
    made = (await again(ground, redis_url, "empresa", "backup", str(row.id))).json
    await ground.run(1, "UPDATE customers SET name = %s", [("spoilt",)])
    before = await ground.row()
    words = ("empresa", "restore", str(row.id), "--backup", made["name"], "--confirm", "Loja 1")
    valve = Valve(ground.folder / "bin", "mariadb", after)

    await die_inside(ground, redis_url, valve, orphans, *words)
    assert await ground.row() == before
    assert await ground.names() == ["spoilt"] * 5

    done = (await again(ground, redis_url, *words)).json
    assert (await ground.row())["database"] == done["database"] != before["database"]
    assert (await ground.row())["status"] == "ativo"
    assert (await ground.names())[-1] == TRICKY
    copies = await ground.installation.sql("SHOW DATABASES LIKE %s", (f"empresa\\_{row.id}\\_%",))
    assert {name for (name,) in copies} == {before["database"], done["database"]}


@pytest.mark.parametrize("program", ["mariadb-dump", "mariadb"])
async def test_a_move_that_is_killed_in_the_middle_of_its_copy(
    ground: Ground, redis_url: str, orphans: list[int], program: str
) -> None:
    """He stays held and where he was; then he is there, with every row, and served."""
    row = await ground.dealer()
    await ground.make_large(row.id, LARGE)
    before = await ground.row()
    host, port = ground.elsewhere
    words = ("empresa", "move", str(row.id), "--db-host", host, "--db-port", str(port))
    valve = Valve(ground.folder / "bin", program, 10_000_000)

    await die_inside(ground, redis_url, valve, orphans, *words)
    assert await ground.row() == {**before, "status": "pausado"}

    done = (await again(ground, redis_url, *words)).json
    after = await ground.row()
    assert (after["port"], after["status"], done["rows"]["fotos"]) == (port, "ativo", LARGE)
    assert (await ground.names())[-1] == TRICKY

"""Backups by themselves: who is due is backed up once, few at a time, and nobody feels it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tenancy.life import abandon, backup
from tenancy.life.expiry import expire
from tenancy.life.ledger import Kind
from tenancy.life.nightly import Round
from tenancy.life.proof import verify
from tenancy.life.schedule import scheduled, set_hour, usual_hour, worries
from tenancy.life.settings import BackupSettings
from tenancy.life.store import BackupStore, BackupStoreUnavailable
from tenancy.life.tools import Tools
from tests.tenancy.life.ground import Ground

ZONE = ZoneInfo("America/Sao_Paulo")


def tonight(**changes: Any) -> BackupSettings:
    """All dealers have been due since this hour began."""
    hour = datetime.now(ZONE).hour
    return BackupSettings(**{"hour": hour, "spread_min": 1, **changes})


def round_of(
    ground: Ground, settings: BackupSettings, *, store: BackupStore | None = None, days: int = 0
) -> Round:
    """Over this ground's dealers, so many days from now."""

    @asynccontextmanager
    async def tools() -> AsyncIterator[Tools]:
        async with ground.tools() as made:
            yield made if store is None else replace(made, store=store)

    return Round(
        settings=settings,
        open_tools=tools,
        zone=ZONE,
        now=lambda: datetime.now(UTC) + timedelta(days=days),
    )


async def made_of(ground: Ground, *numbers: int) -> list[int]:
    """How many backups each of them has."""
    async with ground.tools() as tools:
        ids = [ground.installation.empresa_id(number) for number in numbers]
        return [len(await backup.manifests(tools, id_)) for id_ in ids]


class Watched(BackupStore):
    """Counts who writes at once, and holds dumps up in the middle while `go_on` is not set."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(BackupSettings(store=str(ground.folder / "backups")))
        self.at_once = self.most = 0
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """As the real one."""

        async def slowly() -> AsyncIterator[bytes]:
            yield await anext(chunks)  # the head of the file, before the dump has begun
            async for chunk in chunks:
                self.begun.set()
                await self.go_on.wait()
                yield chunk

        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await super().put(key, slowly())
        finally:
            self.at_once -= 1


async def test_all_who_are_due_are_backed_up_once(ground: Ground) -> None:
    """A second round finds nobody; whose server is away costs the others nothing."""
    for number in (1, 2, 3):
        await ground.dealer(number)
    away = ground.installation.empresa_id(2)
    await ground.installation.central("UPDATE empresas SET db_port = 1 WHERE id = %s", (away,))

    outcomes = await round_of(ground, tonight()).run()
    again = await round_of(ground, tonight()).run()

    assert {one.empresa_id for one in outcomes if one.error} == {away}
    assert len(outcomes) == 3
    assert again == []
    assert await made_of(ground, 1, 2, 3) == [1, 0, 1]


async def test_two_rounds_at_once_make_one_backup_of_each(ground: Ground) -> None:
    """Two workers that wake in the same moment, even without the lease between them."""
    for number in (1, 2, 3):
        await ground.dealer(number)

    await asyncio.gather(*(round_of(ground, tonight()).run() for _ in range(3)))

    assert await made_of(ground, 1, 2, 3) == [1, 1, 1]


@pytest.mark.parametrize(("per_host", "at_once", "most"), [(1, 4, 1), (2, 4, 2), (4, 3, 3)])
async def test_a_server_has_no_more_backups_at_once_than_it_may(
    ground: Ground, per_host: int, at_once: int, most: int
) -> None:
    """All dealers of this test are on one server."""
    for number in (1, 2, 3, 4):
        await ground.dealer(number)
    store = Watched(ground)

    outcomes = await round_of(
        ground, tonight(per_host=per_host, at_once=at_once), store=store
    ).run()

    assert len(outcomes) == 4
    assert store.most <= most
    assert await made_of(ground, 1, 2, 3, 4) == [1] * 4


async def test_a_dealer_at_work_does_not_feel_his_backup(ground: Ground) -> None:
    """While his dump stands still in the middle, all places of his pool are lent and write; what
    they write is not in the backup, which is of one moment."""
    row = await ground.dealer()
    await ground.make_large(row.id)
    store = Watched(ground)
    store.go_on.clear()
    size = ground.installation.settings.tenancy_max_per_empresa

    running = asyncio.create_task(round_of(ground, tonight(), store=store).run())
    await store.begun.wait()

    async def write(pools: Any, number: int) -> None:
        async with pools.transaction(row.id) as conn:
            await conn.execute("UPDATE customers SET notes = 'x' WHERE id = 1")
            await conn.execute("INSERT INTO customers (name) VALUES (%s)", (f"new {number}",))

    async with ground.installation.tenancy() as tenancy, asyncio.timeout(10):
        await asyncio.gather(*(write(tenancy.pools, number) for number in range(3 * size)))
    store.go_on.set()
    (done,) = await running

    assert done.error is None
    async with ground.tools() as tools:
        (manifest,) = await backup.manifests(tools, row.id)
        assert (await verify(tools, row.id, None)).compared == "content"
    assert manifest.rows["customers"] == 5
    assert len(await ground.names()) == 5 + 3 * size


async def test_old_backups_go_with_what_book_and_ledger_had_of_them(ground: Ground) -> None:
    """Of one day the newest stays; halves that were given up go, one that is gone on with stays."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        old = [await backup.back_up(tools, row.id) for _ in range(3)]
        halves = ground.folder / "backups" / str(row.id) / "20200101T000000Z-1"
        halves.mkdir()
        (halves / "dump.sql.zst.sealed").write_bytes(b"half")
        (halves / "dump.sql.zst.sealed#1").write_bytes(b"a piece")

    (done,) = await round_of(ground, tonight(), days=40).run()

    assert (done.error, done.expired) == (None, 3)
    left = {path.name for path in (ground.folder / "backups" / str(row.id)).iterdir()}
    assert left == {done.backup}
    assert done.backup not in {one.name for one in old}
    books = await ground.installation.central("SELECT nome FROM copias")
    assert books == [(done.backup,)]
    assert await ground.installation.central("SELECT id FROM operacoes_empresa") == []
    assert await ground.installation.central("SELECT passo FROM passos_operacao") == []


async def test_a_half_that_will_be_gone_on_with_is_no_rubbish(ground: Ground) -> None:
    """A killed backup's dump, while its operation is open; abandoned, it goes."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        operation = await tools.ledger.begin(row.id, Kind.BACKUP, {})
        name = f"20260101T000000Z-{operation.id}"
        await tools.ledger.step(operation, "named", backup.Named, lambda: _named(name))
        half = ground.folder / "backups" / str(row.id) / name
        half.mkdir(parents=True)
        (half / "dump.sql.zst.sealed").write_bytes(b"half")
        await expire(tools, row.id, tonight(), datetime.now(UTC), ZONE)
        assert half.exists()
        assert await backup.manifests(tools, row.id) == []

        await abandon.abandon(tools, row.id)

    assert not half.exists()


async def _named(name: str) -> backup.Named:
    return backup.Named(name=name)


class Full(BackupStore):
    """A disk without room for a whole dump."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """What was written stays, as a crash would leave it."""

        async def first() -> AsyncIterator[bytes]:
            yield await anext(chunks)

        await super().put(key, first())
        raise BackupStoreUnavailable("no room")


async def test_a_backup_that_fails_half_way_leaves_nothing(ground: Ground) -> None:
    """No dump, no manifest, no row that says that there is one; the failure is on record."""
    row = await ground.dealer()
    store = Full(BackupSettings(store=str(ground.folder / "backups")))

    (done,) = await round_of(ground, tonight(), store=store).run()

    assert done.error == "no room"
    files = [path for path in (ground.folder / "backups").rglob("*") if path.is_file()]
    assert files == []
    assert await ground.installation.central("SELECT nome FROM copias") == []
    async with ground.tools() as tools:
        found = await worries(tools.central, tonight(), datetime.now(UTC))
    assert [one.empresa_id for one in found.old] == [row.id]
    assert await round_of(ground, tonight()).run() == []  # not again at once


async def test_a_dealer_may_have_an_hour_of_his_own_or_none(ground: Ground) -> None:
    """The others go by the settings; without an hour there nobody is backed up by himself."""
    for number in (1, 2, 3):
        await ground.dealer(number)
    own, never, usual = (ground.installation.empresa_id(number) for number in (1, 2, 3))
    now, settings = datetime.now(UTC), BackupSettings(hour=2)
    async with ground.tools() as tools:
        conn = tools.central
        await set_hour(conn, own, 22)
        await set_hour(conn, never, None)
        hours = {one.empresa_id: one.hour for one in await scheduled(conn, settings, now)}
        assert hours == {own: 22, usual: 2}
        assert await scheduled(conn, BackupSettings(), now) == []
        await usual_hour(conn, never)
        assert len(await scheduled(conn, settings, now)) == 3


async def test_who_has_no_good_backup_of_late_is_told_of(ground: Ground) -> None:
    """Not who has one, nor who was switched off; who has none yet is told apart."""
    for number in (1, 2, 3):
        await ground.dealer(number)
    old, none_yet, off = (ground.installation.empresa_id(number) for number in (1, 2, 3))
    now, settings = datetime.now(UTC), BackupSettings(hour=2, old_h=36)
    async with ground.tools() as tools:
        await backup.back_up(tools, old)
        await set_hour(tools.central, off, None)
        fresh = await worries(tools.central, settings, now + timedelta(hours=35))
        later = await worries(tools.central, settings, now + timedelta(hours=37))

    assert [one.empresa_id for one in fresh.old] == []
    assert [one.empresa_id for one in later.old] == [old]
    assert [one.empresa_id for one in later.none_yet] == [none_yet]
    assert later.dealers == 2

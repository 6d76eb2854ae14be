"""Backups: the dealer's alone, proved by restoring, and the way back to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.errors import BackupDamaged, CopyDiffers, WrongTenant
from tenancy.keyring import Keyring, new_key
from tenancy.lease import Connection
from tenancy.life import backup, proof, restore
from tenancy.life.backup import Manifest
from tenancy.reseal import reseal_all
from tests.tenancy.life.ground import TRICKY, Ground


def dump_of(ground: Ground, manifest: Manifest) -> Path:
    """The file of a backup."""
    folder = ground.folder / "backups" / str(manifest.empresa_id) / manifest.name
    return folder / "dump.sql.zst.sealed"


async def test_a_backup_is_proved_by_restoring_all_of_it(ground: Ground) -> None:
    """Every byte of a second dump is compared; the copy does not stay, the file is not legible."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
        verified = await proof.verify(tools, row.id, None)
        assert await backup.manifests(tools, row.id) == [made]

    assert (verified.name, verified.compared) == (made.name, "content")
    assert verified.rows["customers"] == 5
    scratch = await ground.installation.sql("SHOW DATABASES LIKE %s", (f"scratch_{row.id}%",))
    assert scratch == []
    files = [path for path in (ground.folder / "backups").rglob("*") if path.is_file()]
    assert len(files) == 2
    assert not any(b"customer 1" in path.read_bytes() for path in files)


async def test_a_dealer_comes_back_to_a_backup_in_a_new_database(ground: Ground) -> None:
    """What was stored since is in the old database, which is kept; the others are as they were."""
    row = await ground.dealer(1)
    await ground.dealer(2)
    old = (await ground.row())["database"]
    seen: list[str] = []

    async def after_restore(empresa_id: int, conn: Connection) -> None:
        assert empresa_id == row.id
        seen.append(str((await conn.fetch_all("SELECT COUNT(*) FROM customers"))[0][0]))
        await conn.execute("DELETE FROM customers WHERE name LIKE '%%customer 3'")

    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
        await ground.run(1, "UPDATE customers SET name = %s", [("spoilt",)])
        done = await restore.restore(tools, row.id, made.name, after_restore=after_restore)

    assert (done.compared, done.kept) == ("content", old)
    assert (await ground.row())["status"] == "ativo"
    assert (await ground.row())["database"] != old
    assert await ground.names(1) == [f"dealer 1 customer {n}" for n in range(3)] + [TRICKY]
    assert seen == ["5", "4"]  # early, and once more just before the switch
    assert all(name.startswith("dealer 2") for name in (await ground.names(2))[:-1])
    kept = await ground.installation.sql("SELECT DISTINCT name FROM customers", database=old)
    assert kept == [("spoilt",)]


async def test_a_restore_to_another_server_needs_nothing_of_the_first(ground: Ground) -> None:
    """His own server is gone: a backup and the registry bring him up elsewhere."""
    row = await ground.dealer()
    host, port = ground.elsewhere
    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
        await tools.central.execute("UPDATE empresas SET db_port = 1 WHERE id = %s", (row.id,))
        await restore.restore(tools, row.id, made.name, host=host, port=port)

    assert (await ground.names())[-1] == TRICKY
    assert (await ground.row())["port"] == port


@pytest.mark.parametrize("damage", ["bit", "cut", "gone", "manifest", "swapped"])
async def test_a_damaged_backup_changes_nothing(ground: Ground, damage: str) -> None:
    """It is said what is wrong, the dealer goes on where he was, no copy stays."""
    row = await ground.dealer()
    before = await ground.row()
    async with ground.tools() as tools:
        first = await backup.back_up(tools, row.id)
        made = await backup.back_up(tools, row.id)
        dump = dump_of(ground, made)
        body = dump.read_bytes()
        if damage == "bit":
            dump.write_bytes(body[:-20] + bytes([body[-20] ^ 1]) + body[-19:])
        elif damage == "cut":
            dump.write_bytes(body[:-1])
        elif damage == "gone":
            dump.unlink()
        elif damage == "manifest":
            text = dump.with_name("manifest.json")
            text.write_text(text.read_text().replace('"customers":5', '"customers":4'))
            text.write_text(text.read_text().replace('"customers": 5', '"customers": 4'))
        else:
            dump.write_bytes(dump_of(ground, first).read_bytes())

        with pytest.raises(BackupDamaged):
            await restore.restore(tools, row.id, made.name)

    assert await ground.row() == before
    left = await ground.installation.sql("SHOW DATABASES LIKE %s", (f"{before['database']}\\_%",))
    assert left == []


async def test_a_copy_that_differs_is_found_out(ground: Ground) -> None:
    """One changed cell in what was restored: nobody is switched to it."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
        other = made.model_copy(update={"plain_sha256": "0" * 64})
        with pytest.raises(CopyDiffers, match="content"):
            await backup.restore_into(tools, other, await _empty(ground), f"empresa_{row.id}_db_9")


async def _empty(ground: Ground) -> tuple[str, int]:
    settings = ground.installation.settings
    await ground.installation.sql(
        f"CREATE DATABASE empresa_{ground.installation.empresa_id()}_db_9"
    )
    return settings.db_host, settings.db_port


async def test_a_backup_of_a_database_that_is_anothers_is_refused(ground: Ground) -> None:
    """A registry row that points at another dealer's database makes no backup of his buyers."""
    row = await ground.dealer(1)
    await ground.dealer(2)
    theirs = (await ground.row(2))["database"]
    async with ground.tools() as tools:
        await tools.central.execute(
            "UPDATE empresas SET db_name = %s WHERE id = %s", (theirs, row.id)
        )
        with pytest.raises(WrongTenant):
            await backup.back_up(tools, row.id)
    assert not list((ground.folder / "backups").rglob("manifest.json"))


async def test_backups_open_after_the_master_key_was_changed(ground: Ground) -> None:
    """`helix keys rotate` seals the data keys anew: the old master key may go."""
    row = await ground.dealer()
    settings = ground.installation.settings
    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
    newer = new_key()
    both = f"{newer},{settings.tenancy_keys.get_secret_value()}"
    secret = type(settings.tenancy_keys)
    resealed = await reseal_all(settings.model_copy(update={"tenancy_keys": secret(both)}))
    assert resealed.remaining == 0

    async with ground.tools(keyring=Keyring.parse(newer)) as tools:
        assert (await proof.verify(tools, row.id, made.name)).compared == "content"

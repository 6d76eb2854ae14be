"""A backup holds whom was erased since; the database that comes of it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schema.errors import TryAgain
from tenancy.life import backup
from tenancy.life.settings import BackupSettings
from tenancy.life.store import BackupStore
from tenancy.life.tools import open_tools
from tests.cli.helix import Ran, helix
from tests.lgpd.everywhere import dump, everything, where
from tests.lgpd.roads import MARKS, PHONE, leave_marks, lucas, said
from tests.lgpd.test_marker import NAMES, NEVER_STORED, eraser_of, order_of
from tests.tenancy.installation import Installation
from tests.tenancy.life.ground import Ground
from tests.tenancy.life.test_killed import order_of as act_of
from tests.tenancy.life.victim import carry_out, killed
from tests.worker.shop import Shop, event, open_shop
from worker.lgpd.erase import Eraser, Order
from worker.lgpd.phones import read_phone
from worker.life.at_work import AtWork
from worker.media.settings import MediaSettings
from worker.media.store import open_store
from worker.queue.lease import LeaseDesk

OTHER = "5511987650002"
OF_OTHERS = (
    "SELECT id, phone, name FROM customers WHERE phone = '5511987650002'",
    """SELECT m.id, m.tipo, m.conteudo, m.status FROM mensagens m JOIN customers c
           ON c.id = m.customer_id WHERE c.phone = '5511987650002' ORDER BY m.id""",
    """SELECT v.id, v.tipo, v.observacoes FROM agendamentos v JOIN customers c
           ON c.id = v.customer_id WHERE c.phone = '5511987650002' ORDER BY v.id""",
)


@pytest.fixture
async def market(installation: Installation, redis_url: str) -> AsyncIterator[Shop]:
    """A shop whose Lucas fails where the buyer's roads want it."""
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        yield shop


async def command(shop: Shop, redis_url: str, folder: Path, *words: str) -> Ran:
    """`helix`, with this shop's settings. Must succeed."""
    ran = await helix(
        *words,
        env={
            **shop.installation.environment(),
            "REDIS_URL": redis_url,
            "BACKUP_STORE": str(folder / "backups"),
            "MEDIA_STORE": str(shop.files),
            "TENANCY_REGISTRY_FRESH_S": "0",
        },
    )
    assert ran.code == 0, ran.err
    return ran


async def place_of(shop: Shop) -> str:
    """The name of his database now."""
    asked = "SELECT db_name FROM empresas WHERE id = %s"
    ((name,),) = await shop.installation.central(asked, (shop.empresa_id,))
    return str(name)


async def test_a_restore_by_command_brings_nobody_back_who_was_erased(
    market: Shop, redis_url: str, tmp_path: Path
) -> None:
    """Every road is in the backup, none of it in the restored database or anywhere else; others'
    rows are all there."""
    own = str(market.empresa_id)
    marks = [mark for name, mark in MARKS.items() if name not in NEVER_STORED]
    await leave_marks(market)
    await market.handle(event(f"sou outro {MARKS['other']}", phone=OTHER))
    await market.execute(
        "INSERT INTO agendamentos (customer_id, tipo, data_agendada, observacoes)"
        " SELECT id, 'visita', '2027-03-06 10:00:00', 'do outro' FROM customers WHERE phone = %s",
        (OTHER,),
    )
    in_rows = {mark for _, mark in where({"it": await dump(market, await place_of(market))},
                                         *marks, *NAMES)}  # fmt: skip
    others = [await market.rows(sql) for sql in OF_OTHERS]
    made = await command(market, redis_url, tmp_path, "empresa", "backup", own, "--json")
    late = said("depois da cópia")
    await market.handle(late)
    await eraser_of(market).erase(order_of(market))

    await command(
        *(market, redis_url, tmp_path, "empresa", "restore", own),
        *("--backup", made.json["name"], "--confirm", "Loja 1"),
    )

    restored = await place_of(market)
    assert restored != f"empresa_{own}_db"
    found = {"restored": await dump(market, restored), **await everything(market)}
    assert len(in_rows) > 15
    assert await _in_backup(market, tmp_path, *in_rows) == in_rows
    assert where(found, *marks, *NAMES) == set()
    assert [await market.installation.sql(sql, database=restored) for sql in OF_OTHERS] == others
    assert all(others)
    await market.handle(late)  # a gateway repeats it once more
    assert where(await everything(market), PHONE) == set()
    assert await market.rows("SELECT id FROM customers WHERE phone = %s", (PHONE,)) == []


async def _in_backup(shop: Shop, folder: Path, *marks: str) -> set[str]:
    """Which marks the newest backup holds, restored without the list of erasures."""
    settings, scratch = shop.installation.settings, f"empresa_{shop.empresa_id}_db_9999"
    store = BackupStore(BackupSettings(store=str(folder / "backups")))
    await shop.installation.sql(f"CREATE DATABASE {scratch}")
    async with open_tools(settings, AtWork(shop.redis), store) as tools:
        (manifest,) = await backup.manifests(tools, shop.empresa_id)
        place = (settings.db_host, settings.db_port)
        await backup.restore_into(tools, manifest, place, scratch)
    return {mark for _, mark in where({"it": await dump(shop, scratch)}, *marks)}


async def test_a_restore_that_dies_anywhere_brings_back_nobody_who_was_erased_meanwhile(
    ground: Ground, redis_url: str
) -> None:
    """One person is erased after each death, before the list is gone through and after: until the
    switch he is served from the old database, and in the new one only the last is left."""
    row = await ground.dealer()
    old = (await ground.row())["database"]
    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
    order = act_of(ground, redis_url, "restore", backup=made.name)

    for number in range(4):  # planned, loaded, prepared, held
        assert await asyncio.to_thread(killed, order)
        assert (await ground.row())["database"] == old
        await _erase(ground, row.id, read_phone(f"551198000{1:02}{number}"))
    await carry_out(order, lambda _step, _moment: None)

    assert (await ground.row())["database"] != old
    assert len(await ground.names()) == 1


async def _erase(ground: Ground, empresa_id: int, phone: str) -> None:
    store = open_store(MediaSettings(store=str(ground.files)))
    async with ground.installation.tenancy() as tenancy:
        eraser = Eraser(tenancy, ground.redis, store, LeaseDesk(ground.redis, life_s=5))
        await eraser.erase(Order(empresa_id=empresa_id, phone=phone, who="teste"))


async def test_while_a_restore_runs_nobody_is_erased_beside_it(
    ground: Ground, redis_url: str
) -> None:
    """It would be erased from the database that is left, and not be on the list in time."""
    row = await ground.dealer()
    async with ground.tools() as tools, tools.ledger.alone(row.id):
        with pytest.raises(TryAgain, match="something else is being done"):
            await _erase(ground, row.id, PHONE)


async def test_what_was_not_sent_when_the_backup_was_made_is_not_sent_twice(
    market: Shop, redis_url: str, tmp_path: Path
) -> None:
    """It went out after the backup: a restore must not send it again."""
    await market.push(event("oi", phone=OTHER))
    await market.drain()
    own = str(market.empresa_id)
    made = await command(market, redis_url, tmp_path, "empresa", "backup", own, "--json")
    await market.deliver()
    sent = len(market.phone.outbox)

    await command(
        *(market, redis_url, tmp_path, "empresa", "restore", own),
        *("--backup", made.json["name"], "--confirm", "Loja 1"),
    )
    await market.deliver()

    assert sent == len(market.phone.outbox) == 1
    assert await market.rows("SELECT status FROM mensagens WHERE autor = 'lucas'") == [
        ("cancelada",)
    ]

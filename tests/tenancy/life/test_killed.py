"""kill -9 in every step, and the same command again: always the same end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pymysql.err import OperationalError

from tenancy.life import backup, switch
from tenancy.life.tools import copy_name
from tests.tenancy.life.ground import TRICKY, Ground
from tests.tenancy.life.victim import Order, carry_out, killed

MOST = 30


async def die_at_every_step(order: Order) -> int:
    """How often it was killed before it came to its end."""
    for deaths in range(MOST):
        if not await asyncio.to_thread(killed, order):
            return deaths
    raise AssertionError(f"not at its end after {MOST} runs")


def order_of(ground: Ground, redis_url: str, act: str, **changes: str | int) -> Order:
    """For the first dealer."""
    order = Order(
        act=act,
        settings=ground.installation.settings,
        redis_url=redis_url,
        folder=ground.folder,
        empresa_id=ground.installation.empresa_id(1),
    )
    return replace(order, **changes)  # type: ignore[arg-type]


async def test_a_creation_that_is_killed_at_each_step(ground: Ground, redis_url: str) -> None:
    """One dealer, one database, one user, served."""
    deaths = await die_at_every_step(order_of(ground, redis_url, "create"))

    assert deaths >= 5
    assert (await ground.row())["status"] == "ativo"
    assert await ground.names() == []


async def test_a_move_that_is_killed_at_each_step(ground: Ground, redis_url: str) -> None:
    """Moved once, every row there, served, one database kept."""
    row = await ground.dealer()
    host, port = ground.elsewhere

    deaths = await die_at_every_step(order_of(ground, redis_url, "move", host=host, port=port))

    assert deaths == 9
    after = await ground.row()
    assert (after["port"], after["status"]) == (port, "ativo")
    assert (await ground.names())[-1] == TRICKY
    async with ground.tools() as tools:
        assert len(await switch.kept(tools.central, row.id)) == 1
        assert await tools.ledger.open_one(row.id) is None


async def test_a_restore_that_is_killed_at_each_step(ground: Ground, redis_url: str) -> None:
    """Restored once, by a backup that was itself killed at each step."""
    row = await ground.dealer()
    assert await die_at_every_step(order_of(ground, redis_url, "backup")) == 3
    async with ground.tools() as tools:
        (made,) = await backup.manifests(tools, row.id)
    await ground.run(1, "UPDATE customers SET name = %s", [("spoilt",)])

    deaths = await die_at_every_step(order_of(ground, redis_url, "restore", backup=made.name))

    assert deaths == 7
    assert (await ground.row())["status"] == "ativo"
    assert (await ground.names())[-1] == TRICKY


async def test_a_deletion_that_is_killed_at_each_step(ground: Ground, redis_url: str) -> None:
    """Nothing of him is left, the export is whole, and the command goes on saying so."""
    row = await ground.dealer(1)
    await ground.dealer(2)
    order = order_of(ground, redis_url, "delete")

    deaths = await die_at_every_step(order)

    assert deaths == 12
    assert (await ground.row())["status"] == "excluido"
    databases = await ground.installation.sql("SHOW DATABASES LIKE %s", (f"%{row.id}%",))
    assert databases == []
    lines = (ground.folder / "export" / "customers.jsonl").read_text().splitlines()
    assert len(lines) == 5
    done = await carry_out(order, lambda _step, _moment: None)
    assert done.rows["customers"] == 5
    assert len(await ground.names(2)) == 5


async def test_what_a_killed_import_left_goes_with_the_program_that_may_still_write(
    ground: Ground, redis_url: str
) -> None:
    """Half a database under the copy's name, and a session that is not at its end."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        made = await backup.back_up(tools, row.id)
    order = order_of(ground, redis_url, "restore", backup=made.name)
    assert await asyncio.to_thread(killed, order)  # it has planned, and no more
    async with ground.tools() as tools:
        operation = await tools.ledger.open_one(row.id)
    assert operation is not None
    copy = copy_name(row.id, operation.id)
    await ground.installation.sql(f"CREATE DATABASE {copy}")
    await ground.installation.sql("CREATE TABLE cars (half INT)", database=copy)

    async with ground.installation.server.connect(copy) as left, left.cursor() as cursor:
        await cursor.execute("LOCK TABLES cars WRITE")
        await carry_out(order, lambda _step, _moment: None)
        with pytest.raises(OperationalError):
            await cursor.execute("INSERT INTO cars VALUES (1)")

    assert (await ground.row())["database"] == copy
    assert (await ground.names())[-1] == TRICKY

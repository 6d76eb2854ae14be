"""A reminder is written once whatever becomes of the worker: real processes and real kills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from tests.tenancy.installation import Installation
from tests.worker.reminding import noon_zone
from tests.worker.test_processes import BUYERS, City, Dealer, open_city

_QUICK = {"WORKER_LEASE_S": "1"}
_HOLD = """
    CREATE TRIGGER hold BEFORE INSERT ON lucas_lembretes FOR EACH ROW
    DO GET_LOCK('{name}:at_it', 0) + GET_LOCK('{name}', 20)
"""


async def test_6_a_worker_killed_in_mid_write_leaves_nothing_behind(
    installation: Installation, redis_url: str
) -> None:
    """Held by the database between the reminder and its mark: another one writes both, once."""
    async with open_city(installation, redis_url, changes=_QUICK) as city:
        await visit_soon(city)
        async with held_writes(installation, city.one) as begun:
            victim = await city.stack.worker()
            await begun()
            victim.kill()
            await victim.child.wait()
        await city.stack.worker()

        await city.stack.until(lambda: is_sent(city.one), timeout_s=30)
        assert await marks(city.one) == 1
        assert await reminders(city.one) == 1
        assert len(city.one.phone.outbox) == 1


async def test_6_a_worker_killed_as_soon_as_it_is_written(
    installation: Installation, redis_url: str
) -> None:
    """Killed between the commit and whatever comes next: it goes out, and is written once."""
    async with open_city(installation, redis_url, changes=_QUICK) as city:
        await visit_soon(city)
        city.one.phone.answer_delay_s = 3600  # what is sent before the kill hangs
        victim = await city.stack.worker()
        async with asyncio.timeout(30):
            while not await marks(city.one):
                pass
        victim.kill()
        await victim.child.wait()
        city.one.phone.answer_delay_s = 0
        had = len(city.one.phone.outbox)

        for _ in range(2):
            await city.stack.worker()
        await city.stack.until(lambda: is_sent(city.one), timeout_s=30)

        assert await marks(city.one) == 1
        assert await reminders(city.one) == 1
        assert len(city.one.phone.outbox) == had + 1  # the documented window of any reply


@asynccontextmanager
async def held_writes(installation: Installation, dealer: Dealer) -> AsyncIterator[Any]:
    """Until the block ends no reminder gets its mark; the value waits until one wants it."""
    name = f"empresa_{dealer.empresa_id}_db"
    await installation.sql(_HOLD.format(name=name), database=name)
    async with (
        installation.server.connect(name) as connection,
        connection.cursor() as cursor,
    ):
        await cursor.execute("SELECT GET_LOCK(%s, 0)", (name,))

        async def begun() -> None:
            async with asyncio.timeout(30):
                while True:
                    await cursor.execute("SELECT IS_USED_LOCK(%s)", (f"{name}:at_it",))
                    if (await cursor.fetchone())[0] is not None:
                        return

        yield begun
    await installation.sql("DROP TRIGGER hold", database=name)


async def visit_soon(city: City) -> None:
    """A buyer of the first dealer who has talked comes in less than two hours."""
    zone = noon_zone()
    at = (datetime.now(zone) + timedelta(hours=1.9)).replace(tzinfo=None)
    async with city.one.tenancy.pools.transaction(city.one.empresa_id) as conn:
        await conn.execute(
            "INSERT INTO lucas_ajustes (nome, valor) VALUES ('fuso', %s)", (zone.key,)
        )
        await conn.execute("INSERT INTO customers (phone) VALUES (%s)", (BUYERS[0],))
        customer = conn.last_id
        channel = await city.one.tenancy.registry.channels(city.one.empresa_id)
        await conn.execute(
            "INSERT INTO conversations (customer_id, status, canal_id, endereco, turno)"
            " VALUES (%s, 'em_andamento', %s, %s, 1)",
            (customer, channel[0].id, BUYERS[0]),
        )
        conversation = conn.last_id
        await conn.execute(
            "INSERT INTO mensagens (conversation_id, customer_id, tipo, canal_id, turno)"
            " VALUES (%s, %s, 'recebida', %s, 1)",
            (conversation, customer, channel[0].id),
        )
        await conn.execute(
            "INSERT INTO agendamentos (customer_id, tipo, data_agendada, created_at)"
            " VALUES (%s, 'visita', %s, '2026-01-01')",
            (customer, at),
        )


async def is_sent(dealer: Dealer) -> bool:
    """Whether the reminder went out."""
    return bool(await dealer.count("autor = 'lucas' AND status IN ('enviada', 'entregue', 'lida')"))


async def reminders(dealer: Dealer) -> int:
    """Rows that speak of the appointment, withdrawn ones too."""
    return await dealer.count("autor = 'lucas'")


async def marks(dealer: Dealer) -> int:
    """What `lucas_lembretes` says that was settled."""
    async with dealer.tenancy.pools.connection(dealer.empresa_id) as conn:
        row = await conn.fetch_one("SELECT COUNT(*) FROM lucas_lembretes")
    return int(row[0]) if row else 0

"""A dealer is moved to another server while buyers write: nothing is refused, lost or doubled."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from tenancy.life import move
from tests.tenancy.life.ground import Ground, ground, second_server
from tests.worker.test_processes import BUYERS, open_city

__all__ = ["ground", "second_server"]

MESSAGES = int(os.environ.get("HELIX_TEST_MOVE_MESSAGES", "3000"))
"""How many the dealer has already; 115,000 of them are 30 MB."""
_CUSTOMER = "INSERT INTO customers (name, phone) VALUES ('Antigo', '5541900000000')"
_TALK = "INSERT INTO conversations (customer_id) VALUES (LAST_INSERT_ID())"
_FILL = """
    INSERT INTO mensagens (conversation_id, customer_id, tipo, status, conteudo)
    SELECT conversations.id, customer_id, 'enviada', 'lida', REPEAT('palavra ', 8)
      FROM conversations JOIN customers ON customers.id = customer_id
      JOIN seq_1_to_{count}
     WHERE name = 'Antigo'
"""
LONGEST_PAUSE_S = 10.0


async def fill(ground: Ground) -> None:
    """What was written in earlier years."""
    database = (await ground.row(1))["database"]
    async with ground.installation.server.connect(database) as conn, conn.cursor() as cursor:
        for statement in (_CUSTOMER, _TALK, _FILL.format(count=MESSAGES)):
            await cursor.execute(statement)


async def test_buyers_write_all_the_while(ground: Ground, redis_url: str) -> None:
    """Each message is accepted at once and stored once, in order; the pause is short; his
    neighbour notices nothing."""
    async with open_city(ground.installation, redis_url) as city:
        await city.stack.worker()
        dealer, neighbour = city.dealers
        sent: list[str] = []
        over = asyncio.Event()
        slowest = 0.0

        async def write() -> None:
            nonlocal slowest
            while not over.is_set():
                for one in (dealer, neighbour):
                    begun = time.perf_counter()
                    await one.phone.buyer_writes(BUYERS[0], f"mensagem {len(sent)}")
                    slowest = max(slowest, time.perf_counter() - begun)
                sent.append(f"mensagem {len(sent)}")
                await asyncio.sleep(0.02)  # the pace of the buyers

        writing = asyncio.create_task(write())
        await fill(ground)

        async def some_stored() -> bool:
            return await dealer.count("tipo = 'recebida'") > 0

        await city.stack.until(some_stored)

        begun = time.perf_counter()
        async with ground.tools(patience_s=30) as tools:
            moved = await move.move(tools, ground.installation.empresa_id(1), *ground.elsewhere)
        pause_s = time.perf_counter() - begun
        over.set()
        await writing
        # Seen with -s, and when the test fails.
        sys.stdout.write(
            f"moved {moved.rows['mensagens']} messages in {pause_s:.2f} s, {len(sent)} written, "
            f"slowest webhook {slowest * 1000:.0f} ms\n"
        )

        async def all_stored() -> bool:
            return all([(await one.received())[BUYERS[0]] == sent for one in city.dealers])

        await city.stack.until(all_stored, timeout_s=30)
        assert moved.compared == "checksums"
        assert moved.rows["mensagens"] >= MESSAGES
        assert pause_s < LONGEST_PAUSE_S
        assert (await ground.row(1))["port"] == ground.elsewhere[1]

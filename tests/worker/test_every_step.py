"""SIGKILL before each command of a drain and of a delivery, to databases, Redis and gateway alike.

Killed after a command is killed before the next one: the server has done it either way.
What is poisoned is tried again with pauses, at some hundred commands: every fourth of them is taken
here, all with KILL_EVERY=1 (two and a half minutes).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from dev.servers.programs import ROOT
from tests.worker.shop import Shop, event
from worker.queue.keys import Task, TaskKeys

_FEWEST = 25
"""Commands of one drain and one delivery; fewer would mean that they are not counted."""


@dataclass(slots=True)
class Victims:
    """Processes that die at the wanted step."""

    shop: Shop
    child: asyncio.subprocess.Process
    windows: list[int] = field(default_factory=list)
    """Rows that were with the gateway and not recorded when their process died."""

    async def die_at(self, step: int) -> bool:
        """False when the work had fewer steps and was done."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(f"{step} {self.shop.empresa_id}\n".encode())
        code = int(await self.child.stdout.readline())
        assert code in {0, -signal.SIGKILL}
        rows = await self.shop.rows("SELECT id FROM mensagens WHERE status = 'enviando'")
        self.windows += [row for (row,) in rows]
        return code != 0

    async def recover(self) -> None:
        """Another worker goes on when the lease has run out and a crashed send is surely over."""
        for task in (Task.DRAIN, Task.DELIVER):
            await self.shop.redis.delete(TaskKeys(self.shop.empresa_id, task).lease)
        await self.shop.drain()
        await self.shop.waits_are_over()
        await self.shop.deliver()


@asynccontextmanager
async def victims(shop: Shop, redis_url: str) -> AsyncIterator[Victims]:
    """The program tests.worker.killed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.worker.killed",
        cwd=ROOT,
        env={**os.environ, **shop.installation.environment(), "REDIS_URL": redis_url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Victims(shop, child)
    finally:
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()


@pytest.mark.parametrize("poison", [False, True], ids=["talk", "poison"])
async def test_1_2_3_6_9_killed_before_each_command(
    shop: Shop, redis_url: str, poison: bool
) -> None:
    """A new buyer, and one who writes again before his answer has left: each message is stored
    once, each turn answered once, in order. With `poison` an event beside them cannot be stored:
    it is a dead letter, and the others are as ever."""
    if poison:
        await shop.installation.sql(
            f"ALTER TABLE empresa_{shop.empresa_id}_db.mensagens"
            " ADD CONSTRAINT veneno CHECK (conteudo <> 'veneno')"
        )
    said: dict[str, str] = {}
    stride = int(os.environ.get("KILL_EVERY", "4" if poison else "1"))
    async with victims(shop, redis_url) as them:
        step, rounds, died = 1 - stride, 0, True
        while died:
            step, rounds = step + stride, rounds + 1
            new, known = f"55119810{step:05}", f"55119820{step:05}"
            await shop.push(event("espera", phone=known))
            await shop.drain()
            bad = [event("veneno", phone=new)] if poison else []
            await shop.push(*bad, event("oi", phone=new), event("e agora?", phone=known))
            said |= {new: "eco: oi", known: "eco: espera | e agora?"}

            died = await them.die_at(step)
            await them.recover()

    assert step > _FEWEST
    rows = await shop.rows(
        "SELECT c.phone, m.conteudo FROM mensagens m JOIN customers c ON c.id = m.customer_id"
        " WHERE m.tipo = 'recebida' ORDER BY m.id"
    )
    stored: dict[str, list[str]] = {}
    for phone, text in rows:
        stored.setdefault(phone, []).append(text)
    new_ones = [phone for phone in said if phone.startswith("55119810")]
    assert stored == {
        phone: ["oi"] if phone in new_ones else ["espera", "e agora?"] for phone in said
    }
    assert {sent.to: sent.text for sent in shop.phone.outbox} == said
    sends = Counter(sent.our_ref for sent in shop.phone.outbox)
    twice = {ref for ref, times in sends.items() if times > 1}
    assert max(sends.values()) <= 2
    assert twice <= {f"{shop.empresa_id}:{row}" for row in them.windows}  # the documented window
    assert await shop.waiting() == 0
    texts = [letter["event"] for letter in await shop.dead()]
    assert len(texts) == (rounds if poison else 0)

"""A dealer whose gateway reads from Redis."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Turn
from tenancy.channels import add_channel
from tests.tenancy.installation import Installation, installation
from tests.worker.shop import BUYER, Shop, open_shop
from worker.drain.turns import Decide

__all__ = ["installation", "settled"]

CHANNEL = "loja-redis"
STREAM = f"helix:replies:{CHANNEL}"
GROUP = "gateway"


def two_bubbles(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """A Lucas whose answer has two parts, so that their order can be seen."""
    del stock, dealer, now
    told = " | ".join(message.text or "" for message in turn.messages)
    bubbles = (Bubble(text=f"um: {told}"), Bubble(text=f"dois: {told}"))
    return Decision(bubbles=bubbles, state={}, status="em_andamento", rule="two")


@dataclass(slots=True)
class Gateway:
    """What a foreign programmer writes: it knows the page docs/redis-contract.md and redis-py."""

    redis: Redis
    empresa: int

    @property
    def inbox(self) -> str:
        """The key of every push."""
        return f"helix:{{{self.empresa}}}:inbox"

    async def push(self, *events: dict[str, Any]) -> list[bytes]:
        """Any events."""
        texts = [json.dumps(event) for event in events]
        ids: list[bytes] = await self.redis.execute_command(  # type: ignore[no-untyped-call]
            "FCALL", "helix_push", 1, self.inbox, *texts
        )
        return ids

    async def buyer_writes(self, text: str, message_id: str) -> list[bytes]:
        """As the page shows it."""
        return await self.push(
            {
                "kind": "text",
                "gateway": "redis",
                "channel": CHANNEL,
                "message_id": message_id,
                "phone": BUYER,
                "reply_to": BUYER,
                "text": text,
                "timestamp": int(time.time()),
            }
        )

    async def report(self, ref: str, status: str, **more: object) -> None:
        """What became of a reply."""
        await self.push(
            {"kind": "status", "gateway": "redis", "channel": CHANNEL, "our_ref": ref,
             "status": status, **more}
        )  # fmt: skip

    async def start(self) -> None:
        """Makes the group, as every gateway does when it starts."""
        await self.redis.xgroup_create(STREAM, GROUP, "0", mkstream=True)

    async def take(self, consumer: str = "a") -> list[dict[str, str]]:
        """What is new on the stream."""
        found = await self.redis.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=10)
        entries = found[0][1] if found else []
        return [
            {key.decode(): value.decode() for key, value in fields.items()} for _, fields in entries
        ]

    async def standing(self) -> list[dict[str, str]]:
        """All that stands on the stream, taken or not."""
        return [
            {key.decode(): value.decode() for key, value in fields.items()}
            for _, fields in await self.redis.xrange(STREAM)
        ]


@dataclass(slots=True)
class Settled:
    """A dealer and his gateway."""

    shop: Shop
    gateway: Gateway

    async def look_again(self) -> None:
        """The delivery, as if the time until its next look had passed."""
        await self.shop.execute("UPDATE mensagens SET tentar_em = NULL")
        await self.shop.deliver()

    async def statuses(self) -> list[str]:
        """Of all replies, in order."""
        rows = await self.shop.rows(
            "SELECT status FROM mensagens WHERE tipo = 'enviada' ORDER BY id"
        )
        return [status for (status,) in rows]


@asynccontextmanager
async def open_settled(
    installation: Installation, redis_url: str, redis: Redis, *, decide_turn: Decide
) -> AsyncIterator[Settled]:
    """Registered functions, a channel of gateway `redis`; the jobs run when the test says so."""
    async with open_shop(installation, redis_url, decide_turn=decide_turn) as shop:
        async with shop.tenancy.central.transaction() as conn:
            await add_channel(
                conn,
                shop.tenancy.keyring,
                empresa_id=shop.empresa_id,
                gateway="redis",
                identifier=CHANNEL,
                credentials=None,
            )
        await shop.inbox.register()
        yield Settled(shop, Gateway(redis, shop.empresa_id))


@pytest.fixture
async def settled(
    installation: Installation, redis_url: str, redis: Redis
) -> AsyncIterator[Settled]:
    """A dealer whose Lucas answers in two parts."""
    async with open_settled(installation, redis_url, redis, decide_turn=two_bubbles) as made:
        yield made

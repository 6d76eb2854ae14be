"""A reply on a stream whose facts move: one answer reaches the buyer, whoever has it by then."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Fact, Turn
from gateway.redis_stream.send import HandOver
from schema.errors import AwaitReport
from tests.contract.conftest import GROUP, STREAM, Settled, open_settled
from tests.contract.test_replies import _CHANNEL, _REPLY
from tests.tenancy.installation import Installation


def two_prices(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """A Lucas who says the price of the only car, and then once more."""
    del turn, dealer, now
    (item,) = stock.offered
    fact = Fact(car_id=item.car.id, preco=item.car.preco, status="available")
    bubbles = tuple(
        Bubble(text=f"{word} {item.car.preco:.0f}", facts=(fact,)) for word in ("custa", "isso,")
    )
    return Decision(bubbles=bubbles, state={}, status="em_andamento", rule="price")


@pytest.fixture
async def asked(installation: Installation, redis_url: str, redis: Redis) -> AsyncIterator[Settled]:
    """A buyer has asked for the price; the answer's first part stands on the stream."""
    async with open_settled(installation, redis_url, redis, decide_turn=two_prices) as settled:
        shop = settled.shop
        await shop.execute("INSERT INTO cars (id, brand, model, price) VALUES (7, 'X', 'Uno', 50)")
        await settled.gateway.start()
        await settled.gateway.buyer_writes("quanto?", "A1")
        await shop.drain()
        await shop.deliver()
        yield settled


async def test_6_what_a_consumer_has_is_not_answered_beside(asked: Settled) -> None:
    """It may be out by now: the report decides. Only what was to follow is withdrawn."""
    (taken,) = await asked.gateway.take()
    await asked.shop.execute("UPDATE cars SET price = 45")
    for _ in range(3):
        await asked.look_again()
        await asked.shop.drain()

    assert await asked.statuses() == ["enviando", "pendente"]
    assert [entry["ref"] for entry in await asked.gateway.standing()] == [taken["ref"]]
    await asked.gateway.report(taken["ref"], "sent", message_id="N1")
    await asked.shop.drain()
    await asked.shop.deliver()
    assert await asked.statuses() == ["enviada", "cancelada"]
    assert await asked.gateway.take() == []


async def test_10_what_nobody_has_taken_is_taken_off(asked: Settled) -> None:
    """A consumer that comes now finds the price of now, and nothing else."""
    await asked.shop.execute("UPDATE cars SET price = 45")
    await asked.look_again()
    await asked.shop.drain()
    await asked.shop.deliver()

    texts = [json.loads(entry["reply"])["text"] for entry in await asked.gateway.take()]
    assert texts == ["custa 45"]


async def test_what_was_taken_and_is_missed_can_be_recalled(redis: Redis) -> None:
    """Its consumer died: past its time and the grace it is no longer waited for."""
    hand_over = HandOver(redis, life_s=0, grace_s=-1)
    with pytest.raises(AwaitReport):
        await hand_over.send(_CHANNEL, _REPLY)
    await redis.xreadgroup(GROUP, "a", {STREAM: ">"})

    assert not await HandOver(redis).recall(_CHANNEL, "42:7")
    assert await hand_over.recall(_CHANNEL, "42:7")
    assert await redis.xlen(STREAM) == 0
    assert await hand_over.recall(_CHANNEL, "42:7")  # again: a worker died in between


async def test_what_was_withdrawn_does_not_stand_for_ever(asked: Settled, redis: Redis) -> None:
    """A seller's echo came first: nobody reports on the entry, and it is gone after an hour."""
    ((id_, fields),) = await redis.xrange(STREAM)
    await redis.delete(STREAM)
    await asked.gateway.start()
    hour_ago = int(id_.partition(b"-")[0]) - 3_600_001
    await redis.xadd(STREAM, fields, id=f"{hour_ago}-0")
    await asked.shop.execute("UPDATE mensagens SET status = 'cancelada' WHERE tipo = 'enviada'")

    await asked.gateway.buyer_writes("e agora?", "A2")
    await asked.shop.drain()
    await asked.shop.deliver()

    refs = [entry["ref"] for entry in await asked.gateway.standing()]
    assert len(refs) == 1
    assert refs != [fields[b"ref"].decode()]

"""The whole way from Node, with the Redis client that Node programmers have."""

from __future__ import annotations

import json
import re

from tests.contract.conftest import CHANNEL, STREAM, Settled
from tests.contract.node_program import node
from tests.worker.shop import BUYER

_EVENT = {
    "kind": "text",
    "message_id": "N-in-1",
    "phone": BUYER,
    "reply_to": BUYER,
    "text": "tem ônix? 🚗",
}


def _env(settled: Settled, redis_url: str) -> dict[str, str]:
    return {
        "REDIS_URL": redis_url,
        "EMPRESA": str(settled.shop.empresa_id),
        "CHANNEL": CHANNEL,
    }


async def test_a_buyer_is_answered_through_a_gateway_in_node(
    settled: Settled, redis_url: str
) -> None:
    """Push, store, answer, take, report, next answer: only the two documented calls."""
    env = _env(settled, redis_url)

    pushed = await node("push", env=env, given=json.dumps(_EVENT))
    assert re.fullmatch(r"\d+-\d+", *pushed["ids"])
    for number, word in enumerate(("um", "dois"), start=1):
        await settled.shop.drain()
        await settled.shop.deliver()
        reply = await node("serve", f"N-out-{number}", env=env)
        assert (reply["to"], reply["text"]) == (BUYER, f"{word}: tem ônix? 🚗")
    await settled.shop.drain()

    assert await settled.statuses() == ["enviada", "enviada"]
    assert await settled.gateway.redis.xlen(STREAM) == 0


async def test_a_mistake_is_told_in_words(settled: Settled, redis_url: str) -> None:
    """What a Node programmer sees in his log."""
    refused = await node(
        "push", env=_env(settled, redis_url), given=json.dumps({**_EVENT, "kind": "txt"})
    )

    assert refused == {"error": "HELIX_INVALID event 1: kind is missing or unknown"}


async def test_6_a_reply_of_a_dead_process_is_rescued_by_another(
    settled: Settled, redis_url: str
) -> None:
    """One takes it and dies; the next one claims and reports it: one copy, one row."""
    env = _env(settled, redis_url)
    await node("push", env=env, given=json.dumps(_EVENT))
    await settled.shop.drain()
    await settled.shop.deliver()
    taken = await node("take", env=env)

    reply = await node("rescue", "N-out-1", env=env)

    assert reply == json.loads(taken["reply"])
    await settled.shop.drain()
    assert (await settled.statuses())[0] == "enviada"
    assert await settled.gateway.redis.xlen(STREAM) == 0

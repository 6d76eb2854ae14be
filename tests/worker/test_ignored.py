"""Why an event was ignored is remembered: by both ways in, bounded, without personal data."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event
from tests.worker.test_webhook import Web, address, open_web, signed
from worker.queue.ignored import KEPT, Ignored
from worker.queue.keys import ignored


@pytest.fixture
async def web(installation: Installation, redis_url: str, shop: Shop) -> AsyncIterator[Web]:
    """Knows the shop's channel."""
    del shop
    async with open_web(installation, redis_url) as running:
        yield running


async def test_11_the_drain_remembers_what_it_ignored(shop: Shop) -> None:
    """By its id; neither the id itself, which may hold a number, nor words."""
    named = f"false_{BUYER}@c.us_3EB0"
    await shop.push(
        event("segredo", kind=EventKind.IGNORED, message_id=named, reason=f"group of {BUYER}"),
        event("segredo", kind=EventKind.IGNORED, message_id=None, reason="presence"),
    )
    await shop.drain()

    (found,) = await Ignored(shop.redis).find(shop.empresa_id, {named})
    assert (found.kind, found.gateway, found.channel) == ("ignored", "cloud_api", "loja-1")
    assert found.reason.startswith("group of ")
    kept = str(await shop.redis.xrange(ignored(shop.empresa_id)))
    assert BUYER not in kept
    assert "segredo" not in kept
    assert await shop.redis.xlen(ignored(shop.empresa_id)) == 1
    assert await Ignored(shop.redis).find(shop.empresa_id, {"another"}) == []


async def test_11_the_webhook_remembers_what_it_ignored(shop: Shop, web: Web) -> None:
    """What never comes to the inbox, too."""
    system = {"from": BUYER, "id": "wamid.SYS", "timestamp": str(int(time.time())),
              "type": "system", "system": {"type": "group_left"}}  # fmt: skip
    value = {"messaging_product": "whatsapp", "messages": [system],
             "metadata": {"phone_number_id": shop.channel.identifier}}  # fmt: skip
    raw = json.dumps(
        {"object": "whatsapp_business_account",
         "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
    ).encode()  # fmt: skip

    assert await web.post(address(shop), raw, signed(raw)) == (200, '{"stored":0}')

    (found,) = await Ignored(shop.redis).find(shop.empresa_id, {"wamid.SYS"})
    assert found.reason == "system: group_left"


async def test_only_the_newest_are_kept_and_not_for_ever(redis: Redis) -> None:
    """A chatty gateway fills no memory."""
    for first in range(0, 3 * KEPT, 100):
        await Ignored(redis).keep(
            7, [event(None, message_id=f"wamid.{n}") for n in range(first, first + 100)]
        )

    assert await redis.xlen(ignored(7)) <= KEPT + 100  # trimmed by whole nodes of Redis
    assert len(await Ignored(redis).find(7, {f"wamid.{3 * KEPT - 1}"})) == 1
    assert 0 < await redis.ttl(ignored(7)) <= 7 * 24 * 3600


async def test_a_trace_that_cannot_be_written_stops_nothing(unused_tcp_port: int) -> None:
    """It is only a trace."""
    async with Redis(port=unused_tcp_port) as nowhere:
        await Ignored(nowhere).keep(7, [event(None)])

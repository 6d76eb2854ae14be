"""Too much waits at one dealer: he alone is refused more, and nothing that was accepted is lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY

from schema.channels import Channel
from schema.errors import InboxFull
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from tests.worker.test_webhook import Web, address, body, entry, open_web, signed
from worker.queue.functions import Functions, InboxLimits
from worker.queue.inbox import Inbox, as_json
from worker.queue.keys import Task, dead_letters, held, hush, inbox
from worker.web.full import FullInboxes

MOST = 1000


@pytest.fixture
async def web(shop: Shop, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    """With the smallest limit that may be set."""
    monkeypatch.setenv("WORKER_INBOX_MAX_EVENTS", str(MOST))
    async with open_web(shop.installation, redis_url, files=shop.files) as made:
        yield made


async def fill(shop: Shop) -> None:
    """As many events as may wait."""
    await shop.push(*(event(str(n)) for n in range(MOST)))


async def test_1_a_full_inbox_makes_the_gateway_keep_the_event(shop: Shop, web: Web) -> None:
    """503 with a time to wait; once there is room the same request is taken, and stored once."""
    await fill(shop)
    raw = body("oi")
    url = f"{web.base}{address(shop)}"

    async with web.session.post(url, data=raw, headers=signed(raw)) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert await shop.waiting() == MOST

    await shop.drain()
    for _ in range(2):
        assert (await web.post(address(shop), raw, signed(raw)))[0] == 200
    await shop.drain()
    assert len(await shop.texts("recebida")) == MOST + 1


async def test_7_another_dealers_events_of_the_same_body_are_taken(
    shop: Shop, web: Web, redis_url: str
) -> None:
    """One body, two dealers of one app: 503 so that it comes again, and the other's are in."""
    async with open_shop(shop.installation, redis_url, 2) as two:
        await fill(shop)
        entries = [entry("oi"), entry("olá", channel="loja-2", message_id="wamid.Z")]
        raw = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()

        assert (await web.post(address(shop), raw, signed(raw)))[0] == 503
        assert (await shop.waiting(), await two.waiting()) == (MOST, 1)
        await shop.drain()
        assert await web.post(address(shop), raw, signed(raw)) == (200, '{"stored":2}')
        await two.drain()
        assert await two.texts("recebida") == ["olá"]


async def test_a_full_inbox_is_counted_each_time_and_said_once_a_minute(shop: Shop) -> None:
    """A line for each refused request would drown the others."""
    now = [100.0]
    full = FullInboxes(lambda: now[0])
    other = Channel(
        id=shop.channel.id + 1, empresa_id=1, gateway="cloud_api", identifier="x",
        webhook_token="t", active=True, credentials={},
    )  # fmt: skip
    before = _counted()
    with structlog.testing.capture_logs() as lines:
        for at in (100.0, 130.0, 159.9, 160.0):
            now[0] = at
            full.refuse(shop.channel, InboxFull(shop.empresa_id, "many"))
        full.refuse(other, InboxFull(1, "many"))

    assert [line["canal_id"] for line in lines] == [shop.channel.id, shop.channel.id, other.id]
    assert _counted() == before + 5


async def test_1_what_is_counted_is_what_stands_there(shop: Shop) -> None:
    """Events and bytes, through pushes, drains that keep up with half of it, and an empty inbox."""
    events = [event("x" * n) for n in range(40)]
    await shop.push(*events)
    size = sum(len(as_json(e)) for e in events)
    assert await _held(shop) == (40, size)

    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="x")
    assert lease is not None
    look = await lease.look(most=15)
    await lease.look(done=look.entries[-1], most=15)
    left = sum(len(as_json(e)) for e in events[15:])
    assert await _held(shop) == (25, left)
    await lease.leave(next_at_ms=None)
    await shop.drain()
    assert not await shop.redis.exists(held(shop.empresa_id))


async def test_1_what_goes_to_the_dead_letters_is_no_longer_counted(shop: Shop) -> None:
    """Nothing but events that cannot be read: the inbox is empty, and counts as empty."""
    unreadable = (
        b'{"kind": "text", "gateway": "evolution", "channel": "c", "phone": "5511999990000"}'
    )
    await Functions(shop.redis).call("helix_push", [inbox(shop.empresa_id)], [unreadable] * 3)
    assert (await _held(shop))[0] == 3

    await shop.drain()

    assert await shop.redis.xlen(dead_letters(shop.empresa_id)) == 3
    assert not await shop.redis.exists(held(shop.empresa_id))


async def test_bytes_have_a_limit_too(shop: Shop) -> None:
    """A few large events fill an inbox as well; an empty one takes whatever comes."""
    small = Inbox(shop.redis, InboxLimits(events=1000, bytes=500))

    await small.push(shop.empresa_id, [event("x" * 1000)])

    with pytest.raises(InboxFull) as caught:
        await small.push(shop.empresa_id, [event("oi")])
    assert caught.value.empresa_id == shop.empresa_id
    assert await shop.waiting() == 1


async def test_5_a_sellers_words_that_find_no_room_still_hold_back_lucas(
    installation: Installation, redis_url: str
) -> None:
    """The gateway brings them again; meanwhile nothing goes out to that buyer."""
    async with open_shop(installation, redis_url) as shop:
        full = Inbox(shop.redis, InboxLimits(events=1, bytes=500))
        await full.push(shop.empresa_id, [event("oi")])

        with pytest.raises(InboxFull):
            await full.push(shop.empresa_id, [event("já falo", kind="human_echo", from_me=True)])

        assert await shop.redis.exists(hush(shop.empresa_id, "loja-1", event().reply_to or ""))


async def _held(shop: Shop) -> tuple[int, int]:
    """Events and bytes, as they are counted."""
    # Typed as if a synchronous client might have been given.
    redis: Any = shop.redis
    events, size = await redis.hmget(held(shop.empresa_id), "events", "bytes")
    return int(events), int(size)


def _counted() -> float:
    return (
        REGISTRY.get_sample_value("helix_webhook_inbox_full_total", {"gateway": "cloud_api"}) or 0.0
    )

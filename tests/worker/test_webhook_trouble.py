"""What a gateway is answered when something is wrong on our side, or half of a body is."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest
import structlog

from tenancy.channels import add_channel
from tests.worker.shop import Shop
from tests.worker.test_webhook import Web, address, body, entry, open_web, signed, web
from worker.queue.inbox import LARGEST_EVENT
from worker.queue.keys import UNREADABLE

__all__ = ["web"]


async def test_1_what_is_readable_of_a_broken_body_goes_on(shop: Shop, web: Web) -> None:
    """The whole body is kept for a person besides, byte for byte."""
    broken = entry("tem onix?")
    broken["changes"][0]["value"]["messages"].append("no object")
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [broken]}).encode()

    assert await web.post(address(shop), raw, signed(raw)) == (200, '{"stored":1}')

    ((_, kept),) = await shop.redis.xrange(UNREADABLE)
    assert kept[b"body"] == raw


async def test_1_an_event_that_no_inbox_takes_is_kept_and_the_others_go_on(
    shop: Shop, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repetition would bring the same bytes: 200, the whole body kept for a person."""
    monkeypatch.setenv("GATEWAY_MAX_BODY_BYTES", '{"cloud_api": 16000000}')
    huge, small = entry("x" * (LARGEST_EVENT + 1)), entry("tem onix?")
    raw = json.dumps({"object": "whatsapp_business_account", "entry": [huge, small]}).encode()
    async with open_web(shop.installation, redis_url) as web_alone:
        url = f"{web_alone.base}{address(shop)}"
        sent = web_alone.session.post(url, data=io.BytesIO(raw), headers=signed(raw))
        async with sent as answer:
            assert (answer.status, await answer.json()) == (200, {"stored": 1})

    ((_, kept),) = await shop.redis.xrange(UNREADABLE)
    assert kept[b"body"] == raw


async def test_11_an_event_that_is_not_stored_leaves_its_reason(shop: Shop, web: Web) -> None:
    """One log line that says why, with the channel that it came by."""
    raw = json.dumps({"entry": [{"changes": [{"field": "account_update", "value": {}}]}]}).encode()
    with structlog.testing.capture_logs() as lines:
        assert await web.post(address(shop), raw, signed(raw)) == (200, '{"stored":0}')

    (line,) = [line for line in lines if line["event"] == "event ignored"]
    assert line["canal_id"] == shop.channel.id
    assert "account_update" in line["why"]


async def test_1_credentials_that_are_ours_to_mend_make_the_gateway_keep_the_event(
    shop: Shop, web: Web
) -> None:
    """503, not 403: a gateway gives up on what it is forbidden."""
    async with shop.tenancy.central.transaction() as conn:
        await add_channel(
            conn,
            shop.tenancy.keyring,
            empresa_id=shop.empresa_id,
            gateway="cloud_api",
            identifier=shop.channel.identifier,
            credentials={"no": "secret"},
        )
    raw = body("oi")

    assert (await web.post(address(shop), raw, signed(raw)))[0] == 503


async def test_1_a_central_database_that_is_away_makes_the_gateway_keep_the_event(
    shop: Shop, redis_url: str
) -> None:
    """503 with a time to wait: who the channel is of cannot be known, which is not 404."""
    settings = shop.installation.settings.model_copy(update={"db_port": 1})
    away = type(shop.installation)(
        server=shop.installation.server, settings=settings, first_id=shop.installation.first_id
    )
    async with open_web(away, redis_url) as web_alone:
        url = f"{web_alone.base}{address(shop)}"
        raw = body("oi")
        async with web_alone.session.post(url, data=raw, headers=signed(raw)) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "5"


async def test_a_body_that_does_not_end_is_given_up(shop: Shop, redis_url: str) -> None:
    """408: whoever trickles does not keep a connection for ever."""

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with open_web(shop.installation, redis_url, body_timeout_s=0.05) as web_alone:
        url = f"{web_alone.base}{address(shop)}"
        async with (
            asyncio.timeout(5),
            web_alone.session.post(url, data=trickle(), headers=signed(b"{")) as answer,
        ):
            assert answer.status == 408


async def test_a_body_that_says_it_is_too_large_is_refused_unread(shop: Shop, web: Web) -> None:
    """413 at the headers: nothing of it has to cross the line first."""
    host, _, port = web.base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {address(shop)} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(5):
        status = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert status.split()[1] == b"413"

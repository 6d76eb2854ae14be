"""The stand-ins behave as the gateways do, so that what works with them works with those."""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import pytest

from gateway.adapters import ADAPTERS
from gateway.evolution.standin import EvolutionStandin
from gateway.waha.standin import WahaStandin
from schema.channels import Channel
from schema.errors import ChannelRefused, SendLater, SendRefused
from schema.events import EventKind
from schema.replies import Reply

from .conftest import Webhook
from .line import BUYER, Line, made


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("cloud_api", rb"pre\u00e7o: a\/b"),
        ("evolution", "preço: a/b".encode()),
        ("waha", "preço: a/b".encode()),
    ],
)
async def test_a_webhook_has_the_bytes_of_its_gateway(
    webhook: Webhook, kind: str, written: bytes
) -> None:
    """Meta escapes non-ASCII and slashes, the others neither: a signature hangs on the bytes."""
    async with made(kind, webhook.url) as phone:
        await phone.buyer_writes(BUYER, "preço: a/b")
    ((_, raw),) = webhook.received
    assert written in raw


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
@pytest.mark.parametrize("kind", sorted(ADAPTERS))
def test_the_gateways_differ_in_what_a_refusal_costs(kind: str, status: int) -> None:
    """Evolution drops the event for good; the others go on. So a doubt is answered 503."""
    assert (made(kind).retry_after(1, status) is None) is (kind == "evolution")


def test_retries_end_when_the_real_ones_do() -> None:
    """Evolution after ten attempts, WAHA after fifteen; Meta's pauses grow and span days."""
    for kind, attempts in (("evolution", 10), ("waha", 15)):
        assert made(kind).retry_after(attempts - 1, 503) is not None
        assert made(kind).retry_after(attempts, 503) is None
    cloud = made("cloud_api")
    pauses = [cloud.retry_after(attempt, 503) for attempt in range(1, 14)]
    assert pauses == sorted(pause for pause in pauses if pause is not None)
    assert cloud.retry_after(10_000, 503) is None
    assert [made(kind).retry_after(1, 200) for kind in ADAPTERS] == [None] * len(ADAPTERS)


async def test_a_number_without_whatsapp(webhook: Webhook, http: aiohttp.ClientSession) -> None:
    """The servers in front of WhatsApp Web ask WhatsApp first and say no for good."""
    for kind in ("evolution", "waha"):
        async with made(kind, webhook.url) as phone:
            assert isinstance(phone, EvolutionStandin | WahaStandin)
            phone.not_on_whatsapp |= {BUYER, f"{BUYER}@c.us"}
            with pytest.raises(SendRefused) as caught:
                await Line(phone, webhook, http).send(Reply(to=BUYER, text="oi"))
            assert BUYER not in str(caught.value)


async def test_a_session_of_waha_that_does_not_work(
    webhook: Webhook, http: aiohttp.ClientSession
) -> None:
    """The webhook says so; a send waits while it starts and stops the channel when it must be
    scanned."""
    async with made("waha", webhook.url) as phone:
        assert isinstance(phone, WahaStandin)
        line = Line(phone, webhook, http)
        for status, error in (("STARTING", SendLater), ("SCAN_QR_CODE", ChannelRefused)):
            await phone.session(status)
            with pytest.raises(error, match=status):
                await line.send(Reply(to=BUYER, text="oi"))
        await phone.session("WORKING")
        await line.send(Reply(to=BUYER, text="oi"))
        told = [event.reason for event in line.events() if (event.reason or "").startswith("ses")]
        assert told == [
            "session: STARTING, nothing can be sent",
            "session: SCAN_QR_CODE, nothing can be sent",
            "session: WORKING",
        ]


async def test_a_buyer_with_a_user_name(webhook: Webhook, http: aiohttp.ClientSession) -> None:
    """No phone in the webhook, and the answer goes to the BSUID."""
    async with made("cloud_api", webhook.url) as phone:
        line = Line(phone, webhook, http)
        await phone.buyer_writes("BR.1000000000000009", "oi")
        (event,) = line.events()
        assert (event.phone, event.reply_to) == (None, "BR.1000000000000009")
        sent = await line.send(Reply(to=str(event.reply_to), text="Olá!"))
        assert sent.address == event.reply_to


@pytest.mark.parametrize("engine", ["WEBJS", "NOWEB", "GOWS"])
async def test_wahas_engines_differ_and_are_read_alike(
    webhook: Webhook, http: aiohttp.ClientSession, engine: str
) -> None:
    """The same talk in three shapes: quote, ad, lid, echo, and the id of what we sent."""
    async with WahaStandin(
        api_key="k", hmac_key="h", engine=engine, webhook_url=webhook.url
    ) as phone:
        line = Line(phone, webhook, http)
        await phone.buyer_writes(BUYER, "oi", quoted_id="3EB0Q", name="Ana")
        await phone.buyer_writes("1234@lid", "quero esse", from_ad=True)
        await phone.seller_writes(BUYER, "já te ligo")
        sent = await line.send(Reply(to="1234@lid", text="Olá!"))
        await phone.wait_for_pushes(5)
        text, ad, echo, api, status = line.events()

    assert (text.kind, text.quoted_id, text.push_name) == (EventKind.TEXT, "3EB0Q", "Ana")
    assert (text.phone, text.reply_to) == ("5531999990001", f"{BUYER}@c.us")
    assert (ad.kind, ad.phone, ad.reply_to) == (EventKind.REFERRAL_TEXT, None, "1234@lid")
    assert ad.user_id == "1234@lid"
    assert (echo.kind, echo.phone) == (EventKind.HUMAN_ECHO, "5531999990001")
    assert (api.kind, api.reason) == (EventKind.IGNORED, "api_echo")
    assert api.message_id == status.message_id == sent.message_id
    assert sent.address is not None
    assert sent.address.startswith("1234@")


async def test_it_runs_as_a_process_and_is_driven_over_http(
    webhook: Webhook, http: aiohttp.ClientSession
) -> None:
    """For the demo: secrets from the environment, the address on the first line of output."""
    secrets = {"STANDIN_ACCESS_TOKEN": "t", "STANDIN_APP_SECRET": "s"}
    command = [sys.executable, "-m", "gateway.standin", "cloud_api", "--webhook", webhook.url]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, **secrets}
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        base_url = (await process.stdout.readline()).decode().strip()
        body = {"phone": BUYER, "text": "oi", "message_id": "wamid.1"}
        async with http.post(f"{base_url}/_standin/buyer", json=body) as response:
            assert await response.json() == {"message_id": "wamid.1"}
        (pushed,) = webhook.received
        credentials = {"access_token": "t", "app_secret": "s", "verify_token": "v"}
        cloud = ADAPTERS["cloud_api"]
        cloud.verify(*pushed, credentials, now=0)
        channel = Channel(
            id=1,
            empresa_id=7,
            gateway="cloud_api",
            identifier="106540352242901",
            webhook_token="w",
            credentials={**credentials, "base_url": base_url},
        )
        await cloud.send(http, channel, Reply(to=BUYER, text="Olá!"), timeout_s=5)
        async with http.get(f"{base_url}/_standin/outbox?after=0&timeout_s=5") as response:
            assert [sent["text"] for sent in await response.json()] == ["Olá!"]
        process.terminate()
        assert await process.wait() == 0

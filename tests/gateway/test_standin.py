"""The stand-ins behave as the gateways do, so that what works with them works with those."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
import pytest_asyncio

from gateway.adapters import ADAPTERS, Adapter
from gateway.cloud_api.standin import CloudStandin
from gateway.evolution.standin import EvolutionStandin
from gateway.json import loads
from gateway.standin.trouble import Trouble
from schema.channels import Channel
from schema.errors import (
    ChannelRefused,
    GatewaySilent,
    SendLater,
    SendRefused,
    SendUnknown,
    Transient,
)
from schema.events import DeliveryStatus, Event, EventKind
from schema.replies import Reply, ReplyKind

from .conftest import Webhook

BUYER = "553199990001"
KINDS = sorted(ADAPTERS)
Build = Callable[[Webhook], CloudStandin | EvolutionStandin]

BUILD: dict[str, Build] = {
    "cloud_api": lambda hook: CloudStandin(
        access_token="t", app_secret="s", webhook_url=hook.url, pace=0.0
    ),
    "evolution": lambda hook: EvolutionStandin(
        apikey="k", webhook_secret="s", jwt_key="j", webhook_url=hook.url, pace=0.0
    ),
}


class Line:
    """A stand-in, our webhook and our adapter: both ends of one channel."""

    def __init__(self, kind: str, phone: CloudStandin | EvolutionStandin, hook: Webhook) -> None:
        self.adapter: Adapter = ADAPTERS[kind]
        self.phone, self.hook = phone, hook

    def channel(self, **changed: str) -> Channel:
        """The channel that talks to the stand-in."""
        return Channel(
            id=1,
            empresa_id=7,
            gateway=self.adapter.kind,
            identifier=changed.pop("identifier", self.phone.channel),
            webhook_token="w",
            credentials=self.phone.credentials() | changed,
        )

    def events(self) -> list[Event]:
        """All that was pushed to us and verified."""
        found = []
        for headers, raw in self.hook.received:
            self.adapter.verify(headers, raw, self.channel().credentials, now=time.time())
            found += self.adapter.parse(loads(raw))
        return found


@pytest_asyncio.fixture(params=KINDS)
async def line(request: pytest.FixtureRequest, webhook: Webhook) -> AsyncIterator[Line]:
    """One line of each gateway."""
    async with BUILD[request.param](webhook) as phone:
        yield Line(request.param, phone, webhook)


async def test_what_a_buyer_writes_arrives_signed_and_whole(line: Line) -> None:
    """Accents, slashes and emoji, with the true signature, and the id that was told."""
    text = "Preço do Onix? https://exemplo.test/á 🚗"
    message_id = await line.phone.buyer_writes(BUYER, text, name="Ana", quoted_id="q1")
    (event,) = line.events()
    assert (event.kind, event.text, event.message_id) == (EventKind.TEXT, text, message_id)
    assert (event.phone, event.push_name, event.quoted_id) == ("5531999990001", "Ana", "q1")
    assert event.channel == line.phone.channel


async def test_a_webhook_has_the_bytes_of_its_gateway(line: Line) -> None:
    """Meta escapes non-ASCII and slashes, Evolution neither: a signature hangs on the bytes."""
    await line.phone.buyer_writes(BUYER, "preço: a/b")
    ((_, raw),) = line.hook.received
    wanted = {"cloud_api": rb"pre\u00e7o: a\/b", "evolution": "preço: a/b".encode()}
    assert wanted[line.adapter.kind] in raw


async def test_a_duplicate_is_the_same_message_twice(line: Line) -> None:
    """At least once is what gateways promise."""
    message_id = await line.phone.buyer_writes(BUYER, "oi", message_id="fixed", duplicate=True)
    assert [event.message_id for event in line.events()] == [message_id, "fixed"]


async def test_an_ad_click_and_a_seller(line: Line) -> None:
    """The two things that a dealer's phone does beside."""
    await line.phone.buyer_writes(BUYER, "", from_ad=True)
    await line.phone.seller_writes(BUYER, "já te ligo")
    ad, echo = line.events()
    assert (ad.kind, echo.kind) == (EventKind.REFERRAL_TEXT, EventKind.HUMAN_ECHO)
    assert (echo.phone, echo.text, echo.from_me) == ("5531999990001", "já te ligo", True)


async def test_a_reply_reaches_the_phone_and_its_statuses_come_back(
    line: Line, http: aiohttp.ClientSession
) -> None:
    """Sent with the canonical number, delivered to the address that the buyer wrote from."""
    await line.phone.buyer_writes(BUYER, "oi")
    photo = Reply(
        to="5531999990001",
        kind=ReplyKind.IMAGE,
        media_url="https://fotos.test/1.jpg",
        text="O Onix",
        our_ref="7:1",
    )
    sent = await line.adapter.send(http, line.channel(), photo, timeout_s=5)
    (arrived,) = await line.phone.wait_for(1)
    assert (arrived.kind, arrived.media, arrived.text) == ("image", photo.media_url, "O Onix")
    assert arrived.id == sent.message_id
    assert sent.address is not None
    assert sent.address.startswith(BUYER)

    await line.phone.wait_for_pushes(3)
    statuses = [event for event in line.events() if event.kind is EventKind.STATUS]
    assert {event.message_id for event in statuses} == {sent.message_id}
    assert statuses[-1].status in {DeliveryStatus.SENT, DeliveryStatus.DELIVERED}
    if line.adapter.kind == "cloud_api":
        assert {event.our_ref for event in statuses} == {"7:1"}
    else:
        echoes = [event for event in line.events() if event.reason == "api_echo"]
        assert [event.message_id for event in echoes] == [sent.message_id]


async def test_our_own_mistakes_are_refused(line: Line, http: aiohttp.ClientSession) -> None:
    """A wrong token, a channel of nobody: nothing reaches the phone."""
    wrong = {"cloud_api": "access_token", "evolution": "apikey"}[line.adapter.kind]
    for channel in (line.channel(**{wrong: "other"}), line.channel(identifier="nobody")):
        with pytest.raises(ChannelRefused):
            await line.adapter.send(http, channel, Reply(to=BUYER, text="oi"), timeout_s=5)
    assert line.phone.outbox == []


async def test_faults_strike_as_often_as_told(line: Line, http: aiohttp.ClientSession) -> None:
    """Two refusals, one lost answer, then all is well; the lost one did reach the phone."""
    phone, reply = line.phone, Reply(to=BUYER, text="oi")
    if isinstance(phone, CloudStandin):
        phone.fail_next(2, code=131056, retry_after_s=3)
    else:
        phone.fail_next(2, status=500, message="Connection Closed")
    phone.lose_answers()
    for error in (SendLater, SendLater, SendUnknown):
        with pytest.raises(error):
            await line.adapter.send(http, line.channel(), reply, timeout_s=5)
    assert len(phone.outbox) == 1
    await line.adapter.send(http, line.channel(), reply, timeout_s=5)
    assert len(phone.outbox) == 2


async def test_a_send_may_be_cut_off_or_hang(line: Line, http: aiohttp.ClientSession) -> None:
    """Nothing reaches the phone, and we cannot know it."""
    line.phone.cut_off()
    line.phone.hang()
    for timeout_s in (5, 0.2):
        with pytest.raises(GatewaySilent):
            await line.adapter.send(
                http, line.channel(), Reply(to=BUYER, text="oi"), timeout_s=timeout_s
            )
    assert line.phone.outbox == []


async def test_trouble_comes_in_the_shares_that_are_asked_for(
    line: Line, http: aiohttp.ClientSession
) -> None:
    """Counted, the same for the same seed, and never twice at one message of ours."""
    trouble = line.phone.trouble = Trouble(seed=1, failed=0.3, lost=0.2, cut=0.1)
    failed = 0
    for number in range(60):
        reply = Reply(to=BUYER, text=f"oi {number}")
        try:
            await line.adapter.send(http, line.channel(), reply, timeout_s=5)
        except Transient:
            failed += 1
            await line.adapter.send(http, line.channel(), reply, timeout_s=5)

    assert failed == trouble.counts.total() > 20
    assert len(line.phone.outbox) == 60 + trouble.counts["lost"]


async def test_late_and_repeated_webhooks_are_all_the_same_messages(line: Line) -> None:
    """Others overtake what is late; nothing is lost and nothing invented."""
    trouble = line.phone.trouble = Trouble(seed=3, repeated=0.3, late=0.3, late_s=0.05)
    sent = [await line.phone.buyer_writes(BUYER, f"oi {number}") for number in range(30)]
    await line.phone.wait_for_pushes(30 + trouble.counts["repeated"])

    got = [event.message_id for event in line.events()]
    assert len(got) == 30 + trouble.counts["repeated"]
    assert set(got) == set(sent)
    assert list(dict.fromkeys(got)) != sent
    assert trouble.counts["late"] > 0


async def test_a_slow_gateway_leaves_the_matter_open(
    line: Line, http: aiohttp.ClientSession
) -> None:
    """The answer comes after we stopped waiting; the message is out all the same."""
    line.phone.answer_delay_s = 0.3
    with pytest.raises(SendUnknown):
        await line.adapter.send(http, line.channel(), Reply(to=BUYER, text="oi"), timeout_s=0.1)
    await line.phone.wait_for(lambda outbox: any(sent.text == "oi" for sent in outbox))


async def test_what_we_refuse_for_now_comes_again(line: Line) -> None:
    """503, then 500, then taken: three attempts with the same body."""
    line.hook.answers += [503, 500]
    await line.phone.buyer_writes(BUYER, "oi")
    pushes = await line.phone.wait_for_pushes(3)
    assert [(push.attempt, push.status) for push in pushes] == [(1, 503), (2, 500), (3, 200)]
    assert len({json.dumps(push.body) for push in pushes}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_the_gateways_differ_in_what_a_refusal_costs(line: Line, status: int) -> None:
    """Evolution drops the event for good; Meta goes on for a week. So a doubt is answered 503."""
    repeats = line.phone.retry_after(1, status) is not None
    assert repeats is (line.adapter.kind == "cloud_api")


def test_retries_end_when_the_real_ones_do(webhook: Webhook) -> None:
    """Evolution after ten attempts; Meta's pauses grow and span days."""
    evolution, cloud = BUILD["evolution"](webhook), BUILD["cloud_api"](webhook)
    assert evolution.retry_after(9, 503) is not None
    assert evolution.retry_after(10, 503) is None
    pauses = [cloud.retry_after(attempt, 503) for attempt in range(1, 14)]
    assert pauses == sorted(pause for pause in pauses if pause is not None)
    assert cloud.retry_after(10_000, 503) is None
    assert cloud.retry_after(1, 200) is evolution.retry_after(1, 200) is None


async def test_a_number_without_whatsapp(webhook: Webhook, http: aiohttp.ClientSession) -> None:
    """Evolution asks WhatsApp first and says no for good."""
    async with BUILD["evolution"](webhook) as phone:
        assert isinstance(phone, EvolutionStandin)
        phone.not_on_whatsapp.add(BUYER)
        line = Line("evolution", phone, webhook)
        with pytest.raises(SendRefused):
            await line.adapter.send(http, line.channel(), Reply(to=BUYER, text="oi"), timeout_s=5)


async def test_a_buyer_with_a_user_name(webhook: Webhook, http: aiohttp.ClientSession) -> None:
    """No phone in the webhook, and the answer goes to the BSUID."""
    async with BUILD["cloud_api"](webhook) as phone:
        line = Line("cloud_api", phone, webhook)
        await phone.buyer_writes("BR.1000000000000009", "oi")
        (event,) = line.events()
        assert (event.phone, event.reply_to) == (None, "BR.1000000000000009")
        reply = Reply(to=str(event.reply_to), text="Olá!")
        sent = await line.adapter.send(http, line.channel(), reply, timeout_s=5)
        assert sent.address == event.reply_to


async def test_waiting_for_what_never_comes_ends(line: Line) -> None:
    """Every wait has a limit."""
    with pytest.raises(TimeoutError):
        await line.phone.wait_for(1, timeout_s=0.01)


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

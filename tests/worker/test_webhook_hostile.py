"""What hostile bodies get for an answer and what they leave behind, at every gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.adapters import ADAPTERS
from gateway.standin.base import Standin
from schema.channels import Channel
from schema.events import Event
from tenancy.channels import add_channel
from tests.gateway.line import made
from tests.tenancy.installation import Installation
from tests.worker.hostile import HOSTILE, LONGEST, Good, Hostile, good
from tests.worker.shop import Shop, open_shop
from tests.worker.test_webhook import Web, address, entry, open_web, signed
from worker.queue.keys import UNKNOWN_CHANNEL, UNREADABLE, inbox

GATEWAYS = sorted(ADAPTERS)


@pytest.fixture
async def web(shop: Shop, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    """The web process, with one limit of size for all gateways."""
    monkeypatch.setenv("GATEWAY_MAX_BODY_BYTES", json.dumps(dict.fromkeys(GATEWAYS, LONGEST)))
    async with open_web(shop.installation, redis_url, body_timeout_s=0.5) as made_web:
        yield made_web


class Door:
    """One channel of a dealer, and the gateway that may speak for it."""

    def __init__(self, channel: Channel, gateway: Standin, body: Good) -> None:
        self.gateway, self.body = gateway, body
        self.path = f"/webhook/{channel.gateway}/{channel.webhook_token}"

    def signed(self, raw: bytes) -> dict[str, str]:
        """Headers that make a body authentic."""
        return self.gateway.webhook_headers(raw)


async def door(shop: Shop, gateway: str, identifier: str | None = None, **secrets: str) -> Door:
    """A channel of the shop at a gateway; the recorded bodies name it."""
    phone, body = made(gateway), good(gateway)
    async with shop.tenancy.central.transaction() as conn:
        channel = await add_channel(
            conn,
            shop.tenancy.keyring,
            empresa_id=shop.empresa_id,
            gateway=gateway,
            identifier=identifier or body.event.channel or "",
            credentials=phone.credentials() | secrets,
        )
    return Door(channel, phone, body)


async def events_of(shop: Shop) -> list[Event]:
    """What lies on the dealer's inbox."""
    entries = await shop.redis.xrange(inbox(shop.empresa_id))
    return [Event.model_validate_json(fields[b"event"]) for _, fields in entries]


async def kept_of(shop: Shop) -> list[bytes]:
    """Bodies that are kept for a person."""
    return [fields[b"body"] for _, fields in await shop.redis.xrange(UNREADABLE)]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
async def test_a_hostile_body_has_its_answer(shop: Shop, web: Web, hostile: Hostile) -> None:
    """The same at every gateway: the status, what is stored, and what a person can look at."""
    for gateway in GATEWAYS:
        at = await door(shop, gateway)
        raw = hostile.raw(at.body)

        status, answer = await web.post(at.path, raw, {**at.signed(raw), **dict(hostile.headers)})

        assert status == hostile.status, gateway
        if status == 200:
            assert json.loads(answer) == {"stored": hostile.stored}, gateway
        events = await events_of(shop)
        assert len(events) == hostile.stored, gateway
        assert all(hostile.holds(event, at.body) for event in events), (gateway, events)
        assert await kept_of(shop) == [raw] * hostile.kept, gateway
        await shop.redis.delete(inbox(shop.empresa_id), UNREADABLE)
    assert (await web.get("/healthz"))[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("none", 401),
        ("empty", 401),
        ("wrong", 403),
        ("ten kilobytes", 403),
        ("not ASCII", 403),
        ("of another body", 403),
    ],
)
async def test_a_body_of_somebody_else_leaves_nothing(
    shop: Shop, web: Web, headers: str, status: int
) -> None:
    """Neither on the inbox nor kept: who is not the gateway cannot fill our memory."""
    for gateway in GATEWAYS:
        at = await door(shop, gateway)
        true = at.signed(at.body.raw)
        given = {
            "none": {},
            "empty": dict.fromkeys(true, ""),
            "wrong": dict.fromkeys(true, "sha256=" + "0" * 64),
            "ten kilobytes": dict.fromkeys(true, "x" * 10_000),
            "not ASCII": dict.fromkeys(true, "é"),
            "of another body": at.signed(b"{}"),
        }[headers]
        if headers == "of another body" and gateway == "evolution":
            continue  # it signs no bodies: a secret is all that there is to check

        assert (await web.post(at.path, at.body.raw, given))[0] == status, gateway

        assert await shop.waiting() == 0
        assert await kept_of(shop) == []


async def test_the_same_post_twenty_times_at_once_is_one_message(shop: Shop, web: Web) -> None:
    """A replay is authentic; the dealer's database knows the message by its id."""
    for number, gateway in enumerate(GATEWAYS, start=1):
        at = await door(shop, gateway)
        headers = at.signed(at.body.raw)

        answers = await asyncio.gather(
            *(web.post(at.path, at.body.raw, headers) for _ in range(20))
        )
        await shop.drain()

        assert {status for status, _ in answers} == {200}
        stored = await shop.rows("SELECT COUNT(*) FROM mensagens WHERE tipo = 'recebida'")
        assert stored == [(number,)], gateway


@pytest.mark.parametrize(
    "name", ["nobody", "", "../../etc/passwd", "'; DROP DATABASE x; --", "x" * 300, "\\u0000"]
)  # fmt: skip
async def test_a_channel_of_nobody_is_kept_as_a_trace(shop: Shop, web: Web, name: str) -> None:
    """200, for a repetition would name it again; no dealer is touched."""
    for gateway in GATEWAYS:
        at = await door(shop, gateway)
        raw = at.body.channel(f'"{name}"'.encode())

        assert await web.post(at.path, raw, at.signed(raw)) == (200, '{"stored":0}'), gateway

        assert await shop.waiting() == 0
        assert len(await shop.redis.xrange(UNKNOWN_CHANNEL)) == 1
        await shop.redis.delete(UNKNOWN_CHANNEL)


async def test_a_dealers_secret_does_not_open_another_dealers_channel(
    installation: Installation, redis_url: str
) -> None:
    """An authentic body of one that names the other's channel: kept apart, at every gateway."""
    async with two_shops(installation, redis_url) as (one, two, web):
        for gateway in GATEWAYS:
            proofs = made(gateway).proofs
            theirs = await door(two, gateway, **dict.fromkeys(proofs, "of-two-alone"))
            ours = await door(one, gateway, "ours")
            raw = theirs.body.raw

            assert await web.post(ours.path, raw, ours.signed(raw)) == (200, '{"stored":0}')
            assert (await web.post(theirs.path, raw, ours.signed(raw)))[0] == 403

            assert (await one.waiting(), await two.waiting()) == (0, 0)
            assert len(await one.redis.xrange(UNKNOWN_CHANNEL)) == 1
            await one.redis.delete(UNKNOWN_CHANNEL)


@asynccontextmanager
async def two_shops(
    installation: Installation, redis_url: str
) -> AsyncIterator[tuple[Shop, Shop, Web]]:
    """Two dealers behind one web process."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
        open_web(installation, redis_url) as web,
    ):
        yield one, two, web


async def test_a_body_that_trickles_or_breaks_off_holds_nothing_up(shop: Shop, web: Web) -> None:
    """408 after the time for a body; a line that is cut leaves nothing; others go on meanwhile."""

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    for gateway in GATEWAYS:
        at = await door(shop, gateway)
        url, headers = f"{web.base}{at.path}", at.signed(b"{")
        slow = asyncio.create_task(web.session.post(url, data=trickle(), headers=headers))
        await cut_off(web, at)

        raw = at.body.raw
        assert (await web.post(at.path, raw, at.signed(raw)))[0] == 200
        async with asyncio.timeout(5):
            answer = await slow
        assert answer.status == 408
        answer.close()
        assert len(await events_of(shop)) == 1
        await shop.redis.delete(inbox(shop.empresa_id))


async def cut_off(web: Web, at: Door) -> None:
    """Says that more is to come, and hangs up."""
    host, _, port = web.base.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {at.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode() + at.body.raw[:100])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("token", ["%00", "..%2f..%2fhealthz", "x" * 5000, "%F0%9F%9A%97", "'--"])
async def test_an_address_of_nobody_is_404(web: Web, token: str) -> None:
    """Whatever it is made of."""
    for gateway in GATEWAYS:
        assert (await web.post(f"/webhook/{gateway}/{token}", b"{}"))[0] == 404


async def test_ten_thousand_messages_in_one_body_are_all_stored_or_none(
    shop: Shop, web: Web
) -> None:
    """One broken one among them is kept with the whole body; the others are stored."""
    at = await door(shop, "evolution")
    body = json.loads(at.body.raw)
    key = body["data"]["key"]
    body["data"] = [
        {"key": {**key, "id": f"3EB0{number}"}, "message": {"conversation": "oi"}}
        for number in range(10_000)
    ]
    body["data"][5_000] = "no object"
    raw = json.dumps(body).encode()

    assert await web.post(at.path, raw, at.signed(raw)) == (200, '{"stored":9999}')

    assert await shop.waiting() == 9_999
    assert await kept_of(shop) == [raw]


async def test_a_broken_entry_amid_those_of_several_dealers_costs_nobody_a_message(
    installation: Installation, redis_url: str
) -> None:
    """Each dealer gets his own; what is broken and what is nobody's is kept, each in its place."""
    async with two_shops(installation, redis_url) as (one, two, web):
        broken = entry("perdido", channel="loja-1", message_id="wamid.X")
        broken["changes"][0]["value"]["messages"] = ["no object", 5, None]
        entries = [
            entry("para um", channel="loja-1", message_id="wamid.A"),
            broken,
            "no entry",
            entry("para ninguém", channel="loja-9", message_id="wamid.B"),
            entry("para dois", "e mais uma", channel="loja-2", message_id="wamid.C"),
        ]
        raw = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()

        assert await web.post(address(one), raw, signed(raw)) == (200, '{"stored":3}')

        assert [event.text for event in await events_of(one)] == ["para um"]
        assert [event.text for event in await events_of(two)] == ["para dois", "e mais uma"]
        assert await kept_of(one) == [raw]
        assert len(await one.redis.xrange(UNKNOWN_CHANNEL)) == 1

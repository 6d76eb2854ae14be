"""Each answer of a gateway leads to what the caller must do next, and to nothing worse."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters import ADAPTERS
from gateway.cloud_api.send import body_of as cloud_body
from gateway.evolution.send import request_of
from schema.channels import Channel
from schema.errors import (
    ChannelBusy,
    ChannelRefused,
    HelixError,
    PairBusy,
    SendLater,
    SendRefused,
    SendUnknown,
)
from schema.replies import Reply, ReplyKind

from .conftest import serving

REPLY = Reply(to="553199990001", text="Olá, Ana! 👋", our_ref="7:42")
KINDS = ("cloud_api", "evolution")


def channel(kind: str, base_url: str) -> Channel:
    """A channel whose gateway is at `base_url`."""
    own = {
        "cloud_api": {"access_token": "the-token", "app_secret": "s", "verify_token": "v"},
        "evolution": {"apikey": "the-key", "webhook_secret": "s"},
    }[kind]
    identifier = {"cloud_api": "1065", "evolution": "loja são/1"}[kind]
    return Channel(
        id=1,
        empresa_id=7,
        gateway=kind,
        identifier=identifier,
        webhook_token="w",
        credentials={"base_url": base_url, **own},
    )


async def outcome(
    http: aiohttp.ClientSession, kind: str, answer: web.Response, timeout_s: float = 5
) -> Exception | str:
    """What `send` makes of one answer."""

    async def handle(_: web.Request) -> web.Response:
        return answer

    async with serving(web.post("/{any:.*}", handle)) as base_url:
        try:
            sent = await ADAPTERS[kind].send(
                http, channel(kind, base_url), REPLY, timeout_s=timeout_s
            )
        except HelixError as error:
            return error
        return sent.message_id


def meta(code: object, status: int = 400, **more: Any) -> web.Response:
    """An error as Meta words it."""
    error = {"message": "m", "code": code, "error_data": {"details": "d"}, **more}
    return web.json_response({"error": error}, status=status)


LATER = [1, 2, 131000, 131016, 131057, 133004, 135000]
NUMBER_BUSY = [4, 80007, 130429]
PAIR_BUSY = 131056
REFUSED = [
    131047, 131026, 131049, 130472, 131050, 131051, 131053, 131062, 132000, 132001, 132005,
    132007, 132008, 132012, 132015, 132016, 100, 131008, 131009, 131021, 33, 999999,
]  # fmt: skip
CHANNEL = [
    0, 3, 10, 190, 200, 250, 299, 131005, 368, 131031, 130497, 131048, 131064, 131042, 131045,
    131037,
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "error"),
    [(code, SendLater) for code in LATER]
    + [(code, ChannelBusy) for code in NUMBER_BUSY]
    + [(PAIR_BUSY, PairBusy)]
    + [(code, SendRefused) for code in REFUSED]
    + [(code, ChannelRefused) for code in CHANNEL],
)
async def test_metas_codes_decide(
    http: aiohttp.ClientSession, code: int, error: type[HelixError]
) -> None:
    """The code, whatever the status says."""
    for status in (400, 401, 403):
        found = await outcome(http, "cloud_api", meta(code, status))
        assert type(found) is error
        assert isinstance(found, SendLater) or getattr(found, "code", None) == code


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (meta(100, error_subcode=33), ChannelRefused),
        (meta(424242, is_transient=True), SendLater),
        (meta(424242, 500), SendLater),
        (meta("190"), ChannelRefused),
        (web.Response(status=500), SendLater),
        (web.Response(status=503, text="<html>busy"), SendLater),
        (web.Response(status=504), SendUnknown),
        (web.Response(status=429), ChannelBusy),
        (web.Response(status=401), ChannelRefused),
        (web.Response(status=400), SendRefused),
        (web.Response(status=200, text="oops"), SendUnknown),
        (web.json_response({"messages": []}), SendUnknown),
        (web.json_response([1]), SendUnknown),
        (web.Response(status=200, text="[" * 200_000), SendUnknown),
        (web.Response(status=307, headers={"Location": "http://169.254.169.254/"}), ChannelRefused),
    ],
)
async def test_answers_without_a_code_of_metas(
    http: aiohttp.ClientSession, answer: web.Response, error: type[HelixError]
) -> None:
    """A proxy's page, a redirect, a yes without an id."""
    assert type(await outcome(http, "cloud_api", answer)) is error


def evo(status: int, message: object) -> web.Response:
    """An error as Evolution words it."""
    body = {"status": status, "error": "e", "response": {"message": message}}
    return web.json_response(body, status=status)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (evo(400, [{"jid": "1@s.whatsapp.net", "exists": False, "number": "1"}]), SendRefused),
        (evo(400, [['instance requires property "text"']]), SendRefused),
        (evo(401, "Unauthorized"), ChannelRefused),
        (evo(403, "Forbidden"), ChannelRefused),
        (evo(404, ['The "x" instance does not exist']), ChannelRefused),
        (evo(500, "Connection Closed"), SendLater),
        (evo(400, ["Error: Connection Closed"]), SendLater),
        (evo(500, ["Error: Timed Out"]), SendUnknown),
        (evo(400, ["Error: Timed Out"]), SendUnknown),
        (evo(400, ["PrismaClientKnownRequestError: \nInvalid `create()`"]), SendUnknown),
        (evo(500, ["Cannot read properties of undefined (reading 'textMessage')"]), ChannelRefused),
        (evo(500, "?"), SendUnknown),
        (evo(429, "slow"), ChannelBusy),
        (web.Response(status=502, text="<html>"), SendLater),
        (web.Response(status=504), SendUnknown),
        (web.json_response({"key": {}}, status=201), SendUnknown),
        (web.Response(status=201), SendUnknown),
        (web.Response(status=302, headers={"Location": "https://x/"}), ChannelRefused),
    ],
)
async def test_evolutions_answers(
    http: aiohttp.ClientSession, answer: web.Response, error: type[HelixError]
) -> None:
    """The wording decides before the status: versions differ in which they send."""
    found = await outcome(http, "evolution", answer)
    assert type(found) is error
    assert "1@s.whatsapp.net" not in str(found)


async def test_an_answer_may_hold_the_whole_photo(http: aiohttp.ClientSession) -> None:
    """Evolution does so with the option base64; an answer without end is not read to its end."""
    photo = {"key": {"id": "m"}, "message": {"base64": "A" * 3_000_000}}
    assert await outcome(http, "evolution", web.json_response(photo, status=201)) == "m"
    endless = web.Response(status=201, body=b'{"key":{"id":"m"}}' + b" " * 33 * 1024 * 1024 + b"x")
    assert await outcome(http, "evolution", endless, timeout_s=30) == "m"


async def test_a_date_is_a_wait_too(http: aiohttp.ClientSession) -> None:
    """Retry-After as a date, here one long past."""
    past = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    found = await outcome(http, "cloud_api", web.Response(status=503, headers=past))
    assert isinstance(found, SendLater)
    assert found.retry_after_s == 0.0


async def test_the_pair_rate_leaves_the_wait_to_the_delivery(http: aiohttp.ClientSession) -> None:
    """131056 without a Retry-After: it grows with each in a row, and who sends counts them."""
    found = await outcome(http, "cloud_api", meta(131056))
    assert isinstance(found, PairBusy)
    assert found.retry_after_s is None


async def test_the_request_is_what_the_gateways_document(http: aiohttp.ClientSession) -> None:
    """Path, authentication and body, once for each gateway."""
    seen: list[tuple[str, str | None, dict[str, Any]]] = []

    async def keep(request: web.Request) -> web.Response:
        secret = request.headers.get("apikey") or request.headers.get("Authorization")
        seen.append((request.raw_path, secret, json.loads(await request.read())))
        answer = {"messages": [{"id": "m"}], "key": {"id": "m"}, "contacts": [{"wa_id": "5531"}]}
        return web.json_response(answer)

    async with serving(web.post("/{any:.*}", keep)) as base_url:
        results = [
            await ADAPTERS[kind].send(http, channel(kind, f"{base_url}/"), REPLY, timeout_s=5)
            for kind in KINDS
        ]
    assert [result.message_id for result in results] == ["m", "m"]
    assert results[0].address == "5531"
    assert seen == [
        (
            "/v23.0/1065/messages",
            "Bearer the-token",
            {
                "messaging_product": "whatsapp",
                "recipient_type": "individual",
                "to": "553199990001",
                "type": "text",
                "text": {"preview_url": False, "body": "Olá, Ana! 👋"},
                "biz_opaque_callback_data": "7:42",
            },
        ),
        (
            "/message/sendText/loja%20s%C3%A3o%2F1",
            "the-key",
            {"number": "553199990001", "text": "Olá, Ana! 👋"},
        ),
    ]


def test_photos_quotes_and_user_ids() -> None:
    """The bodies for the other shapes of a reply."""
    photo = Reply(
        to="BR.7",
        kind=ReplyKind.IMAGE,
        media_url="https://x/a.png?s=1",
        text="O Onix",
        quoted_id="q",
    )
    bare = Reply(to="1@lid", kind=ReplyKind.IMAGE, media_url="https://x/foto")
    cloud = cloud_body(photo)
    assert (cloud["recipient"], "to" in cloud) == ("BR.7", False)
    assert cloud["image"] == {"link": "https://x/a.png?s=1", "caption": "O Onix"}
    assert cloud["context"] == {"message_id": "q"}
    assert cloud_body(bare)["image"] == {"link": "https://x/foto"}
    assert request_of(photo) == (
        "sendMedia",
        {
            "number": "BR.7",
            "mediatype": "image",
            "mimetype": "image/png",
            "media": "https://x/a.png?s=1",
            "caption": "O Onix",
            "quoted": {"key": {"id": "q"}},
        },
    )
    assert request_of(bare)[1]["mimetype"] == "image/jpeg"


@pytest.mark.parametrize("kind", KINDS)
async def test_incomplete_credentials_stop_the_channel(
    http: aiohttp.ClientSession, kind: str
) -> None:
    """Before anything is sent, as a refusal of the channel."""
    lacking = Channel(id=1, empresa_id=7, gateway=kind, identifier="1", webhook_token="w")
    with pytest.raises(ChannelRefused):
        await ADAPTERS[kind].send(http, lacking, REPLY, timeout_s=5)

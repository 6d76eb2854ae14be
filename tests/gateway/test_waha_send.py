"""What WAHA is asked for each kind of reply, and what each of its errors leads to."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters import ADAPTERS
from gateway.fallback import as_text
from gateway.waha.adapter import Waha
from gateway.waha.send import request_of
from gateway.waha.standin import WahaStandin
from schema.channels import Channel
from schema.errors import ChannelRefused, HelixError, SendLater, SendRefused, SendUnknown
from schema.replies import Location, Option, Reply, ReplyKind, Template

from .conftest import Webhook, serving
from .line import BUYER, Line, channel_of

OPTIONS = (Option(id="a", title="Onix LT", description="R$ 69.900"), Option(id="b", title="HB20"))
PHOTO = "https://fotos.test/onix.png?s=1"


def text_of(text: str) -> dict[str, Any]:
    """The body of a plain text."""
    return {"chatId": "1@lid", "text": text, "linkPreview": False}


@pytest.mark.parametrize(
    ("reply", "route", "body"),
    [
        (Reply(to="1@lid", text="Olá"), "sendText", text_of("Olá")),
        (
            Reply(to="5531@s.whatsapp.net", text="Olá", quoted_id="3EB0Q"),
            "sendText",
            {**text_of("Olá"), "chatId": "5531@c.us", "reply_to": "false_5531@c.us_3EB0Q"},
        ),
        (
            Reply(to="1@lid", kind=ReplyKind.IMAGE, media_url=PHOTO, text="O Onix"),
            "sendImage",
            {
                "chatId": "1@lid",
                "file": {"url": PHOTO, "mimetype": "image/png", "filename": "onix.png"},
                "caption": "O Onix",
            },
        ),
        (
            Reply(to="1@lid", kind=ReplyKind.IMAGE, media_url="https://x/foto"),
            "sendImage",
            {
                "chatId": "1@lid",
                "file": {"url": "https://x/foto", "mimetype": "image/jpeg", "filename": "foto"},
            },
        ),
        (
            Reply(
                to="1@lid", kind=ReplyKind.DOCUMENT, media_url="https://x/1", file_name="Ficha.pdf"
            ),
            "sendFile",
            {
                "chatId": "1@lid",
                "file": {
                    "url": "https://x/1",
                    "mimetype": "application/pdf",
                    "filename": "Ficha.pdf",
                },
            },
        ),
        (
            Reply(
                to="1@lid",
                kind=ReplyKind.LOCATION,
                location=Location(latitude=-21.2, longitude=-47.8, name="Ipê", address="Av. 9"),
            ),
            "sendLocation",
            {"chatId": "1@lid", "latitude": -21.2, "longitude": -47.8, "title": "Ipê, Av. 9"},
        ),
        (
            Reply(to="1@lid", kind=ReplyKind.BUTTONS, text="Qual?", options=OPTIONS),
            "sendText",
            text_of("Qual?\n\n1. Onix LT (R$ 69.900)\n2. HB20\n\nResponda com o número da opção."),
        ),
        (
            Reply(to="1@lid", kind=ReplyKind.LIST, text="Qual?", options=OPTIONS, button="Ver"),
            "sendText",
            text_of("Qual?\n\n1. Onix LT (R$ 69.900)\n2. HB20\n\nResponda com o número da opção."),
        ),
    ],
)
def test_each_kind_of_reply_has_its_request(reply: Reply, route: str, body: dict[str, Any]) -> None:
    """What WAHA cannot show goes as numbered text."""
    assert request_of(reply) == (route, body)


def test_a_template_is_refused_with_a_reason() -> None:
    """Templates are Meta's; nothing is sent in their place."""
    template = Reply(to="1@lid", kind=ReplyKind.TEMPLATE, template=Template(name="ola"))
    with pytest.raises(SendRefused, match="Cloud API"):
        request_of(template)


def test_a_text_without_options_stays_itself() -> None:
    """No numbers, no blank line at the end."""
    assert as_text(Reply(to="1", text="Olá")) == "Olá"


async def test_every_kind_reaches_the_phone(webhook: Webhook, http: aiohttp.ClientSession) -> None:
    """Through a server that checks what it is sent."""
    place = Location(latitude=-21.2, longitude=-47.8, name="Ipê")
    async with WahaStandin(api_key="k", hmac_key="h", webhook_url=webhook.url) as phone:
        line = Line(phone, webhook, http)
        for reply in (
            Reply(to=BUYER, text="Olá"),
            Reply(to=BUYER, kind=ReplyKind.IMAGE, media_url=PHOTO),
            Reply(to=BUYER, kind=ReplyKind.DOCUMENT, media_url=PHOTO, file_name="a.pdf"),
            Reply(to=BUYER, kind=ReplyKind.LOCATION, location=place),
            Reply(to=BUYER, kind=ReplyKind.BUTTONS, text="Qual?", options=OPTIONS),
        ):
            await line.send(reply)
        arrived = await phone.wait_for(5)
    assert [(sent.kind, sent.media) for sent in arrived] == [
        ("text", None),
        ("image", PHOTO),
        ("document", PHOTO),
        ("location", "geo:-21.2,-47.8"),
        ("text", None),
    ]


async def test_reading_and_typing_are_shown(webhook: Webhook, http: aiohttp.ClientSession) -> None:
    """Whole ids in the buyer's chat; each of the two alone as well; errors as those of a send."""
    async with WahaStandin(api_key="k", hmac_key="h", webhook_url=webhook.url) as phone:

        async def read(*ids: str, typing: bool, channel: Channel | None = None) -> None:
            await Waha().mark_read(
                http,
                channel or channel_of(phone),
                address=f"{BUYER}@c.us",
                message_ids=ids,
                typing=typing,
                timeout_s=5,
            )

        await read("3EB0A", "3EB0B", typing=False)
        await read(typing=True)
        chat = f"{BUYER}@c.us"
        assert phone.seen == [f"false_{chat}_3EB0A", f"false_{chat}_3EB0B"]
        assert phone.typing == [chat]
        with pytest.raises(ChannelRefused):
            await read("3EB0A", typing=True, channel=channel_of(phone, api_key="other"))
        phone.session_view.status = "FAILED"
        with pytest.raises(ChannelRefused, match="FAILED"):
            await read(typing=True)
        assert len(phone.typing) == 1


def engine(message: str) -> web.Response:
    """A 500 with an engine's own words."""
    body = {"statusCode": 500, "exception": {"message": message, "name": "Error"}}
    return web.json_response(body, status=500)


def state(status: object) -> web.Response:
    """WAHA's answer when the session is in another state than WORKING."""
    body = {"error": "Session status is not as expected.", "session": "s", "status": status}
    return web.json_response({**body, "expected": ["WORKING"]}, status=422)


def framework(status: int, message: object) -> web.Response:
    """An error of the web framework under WAHA."""
    return web.json_response({"statusCode": status, "message": message}, status=status)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (state("STARTING"), SendLater),
        (state("WORKING"), SendLater),
        (state("SCAN_QR_CODE"), ChannelRefused),
        (state("STOPPED"), ChannelRefused),
        (state("FAILED"), ChannelRefused),
        (state("PASSKEY_REQUIRED"), ChannelRefused),
        (framework(422, "sendImage is available only in Plus version"), SendRefused),
        (framework(400, ["chatId must be a string"]), SendRefused),
        (framework(401, "Unauthorized"), ChannelRefused),
        (framework(404, "We didn't find a session with name 's'."), ChannelRefused),
        (framework(501, "The method is not implemented by 'X' engine."), SendRefused),
        (engine("2 UNKNOWN: no LID found for 5531999990001@s.whatsapp.net"), SendRefused),
        (engine("Error: No LID for user"), SendRefused),
        (engine("2 UNKNOWN: websocket not connected"), SendLater),
        (engine("14 UNAVAILABLE: No connection established"), SendLater),
        (engine("Connection Closed"), SendLater),
        (engine("2 UNKNOWN: the store doesn't contain a device JID"), ChannelRefused),
        (engine("Request failed with status code 404"), SendRefused),
        (engine("timed out waiting for message send response"), SendUnknown),
        (engine("to 5531999990001@c.us"), SendUnknown),
        (web.json_response({"id": None}, status=201), SendUnknown),
        (web.json_response(None, status=201), SendUnknown),
    ],
)  # fmt: skip
async def test_wahas_errors(
    http: aiohttp.ClientSession, answer: web.Response, error: type[HelixError]
) -> None:
    """The state and the wording decide before the status; no buyer's number in a reason."""

    async def handle(_: web.Request) -> web.Response:
        return answer

    async with serving(web.post("/{any:.*}", handle)) as base_url:
        channel = Channel(
            id=1,
            empresa_id=7,
            gateway="waha",
            identifier="s",
            webhook_token="w",
            credentials={"base_url": base_url, "api_key": "k", "hmac_key": "h"},
        )
        with pytest.raises(error) as caught:
            await ADAPTERS["waha"].send(http, channel, Reply(to=BUYER, text="oi"), timeout_s=5)
    assert type(caught.value) is error
    assert "5531999990001" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "true_5531@c.us_3EB0A"},
        {"id": {"fromMe": True, "remote": "5531@c.us", "_serialized": "true_5531@c.us_3EB0A"}},
        {"id": {"fromMe": True, "remote": "5531@c.us", "id": "3EB0A"}},
        {"key": {"remoteJid": "5531@c.us", "fromMe": True, "id": "3EB0A"}},
    ],
)
async def test_the_id_of_what_was_sent(http: aiohttp.ClientSession, answer: Any) -> None:
    """One bare id from every engine's shape of it; the path, the key and the session go along."""
    seen: list[tuple[str, str | None, str]] = []

    async def handle(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        seen.append((request.raw_path, request.headers.get("X-Api-Key"), body["session"]))
        return web.json_response(answer, status=201)

    async with serving(web.post("/{any:.*}", handle)) as base_url:
        channel = Channel(
            id=1,
            empresa_id=7,
            gateway="waha",
            identifier="loja são",
            webhook_token="w",
            credentials={"base_url": f"{base_url}/waha/", "api_key": "k", "hmac_key": "h"},
        )
        sent = await ADAPTERS["waha"].send(http, channel, Reply(to="5531", text="oi"), timeout_s=5)
    assert (sent.message_id, sent.address) == ("3EB0A", "5531@c.us")
    assert seen == [("/waha/api/sendText", "k", "loja são")]

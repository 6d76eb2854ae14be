"""How each gateway is asked for a buyer's file, and what becomes of its answers."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters import ADAPTERS
from gateway.cloud_api.standin import CloudStandin
from gateway.errors import MediaLater, MediaRefused
from gateway.evolution.media import inline_media
from gateway.evolution.standin import EvolutionStandin
from gateway.media import (
    Media,
    MediaLimits,
    MediaRef,
    rebased,
)
from schema.channels import Channel
from schema.errors import ChannelRefused, HelixError

from .conftest import serving

PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 20


LIMITS = MediaLimits(max_bytes=10_000, timeout_s=2)


@pytest.fixture
async def cloud() -> AsyncIterator[CloudStandin]:
    """Meta."""
    async with CloudStandin(access_token="t", app_secret="s", statuses=()) as standin:
        yield standin


@pytest.fixture
async def evolution() -> AsyncIterator[EvolutionStandin]:
    """Evolution."""
    async with EvolutionStandin(apikey="k", webhook_secret="w", statuses=()) as standin:
        yield standin


async def fetch(
    http: aiohttp.ClientSession,
    standin: CloudStandin | EvolutionStandin,
    address: str,
    *,
    message_id: str | None = "m1",
    limits: MediaLimits = LIMITS,
    **credentials: str,
) -> Media:
    """As the worker does."""
    kind = "cloud_api" if isinstance(standin, CloudStandin) else "evolution"
    channel = Channel(
        id=1,
        empresa_id=7,
        gateway=kind,
        identifier=standin.channel,
        webhook_token="w",
        credentials={**standin.credentials(), **credentials},
    )
    media = MediaRef(address=address, message_id=message_id)
    return await ADAPTERS[kind].fetch_media(http, channel, media, limits=limits)


async def test_meta_tells_where_the_file_is(
    http: aiohttp.ClientSession, cloud: CloudStandin
) -> None:
    """Two requests, both with the token; the bytes are those of the hash."""
    told = cloud.keep(PHOTO, "image/jpeg")
    found = await fetch(http, cloud, str(told["id"]))
    assert (found.data, found.claimed_type) == (PHOTO, "image/jpeg")


async def test_a_file_that_meta_forgot_is_gone_for_good(
    http: aiohttp.ClientSession, cloud: CloudStandin
) -> None:
    """An id lives for some days; a wrong token is for a person to mend."""
    with pytest.raises(MediaRefused):
        await fetch(http, cloud, "404")
    with pytest.raises(ChannelRefused):
        await fetch(http, cloud, "404", access_token="wrong")
    with pytest.raises(MediaRefused):
        await fetch(http, cloud, "../../me?fields=id")


async def test_too_large_is_known_before_it_is_read(
    http: aiohttp.ClientSession, cloud: CloudStandin
) -> None:
    """Meta tells the size."""
    told = cloud.keep(PHOTO * 3, "image/jpeg")
    with pytest.raises(MediaRefused, match="bytes"):
        await fetch(http, cloud, str(told["id"]))


@pytest.mark.parametrize(
    ("description", "error"),
    [
        ({"url": "http://169.254.169.254/latest/meta-data"}, MediaRefused),
        ({"url": "https://evil.example/f", "sha256": ""}, MediaRefused),
        ({"url": "file:///etc/passwd"}, MediaRefused),
        ({"url": "{home}/f", "sha256": "0" * 64}, MediaLater),
        ({"url": "{home}/f"}, None),
        ({"url": "{home}/f", "sha256": "{hex}"}, None),
        ({"url": "{home}/redirect"}, MediaRefused),
        ({"url": "{home}/busy"}, MediaLater),
        ({"url": "{home}/closed"}, ChannelRefused),
        ({"url": 7}, MediaLater),
        ({}, MediaLater),
        ({"error": {"code": 190, "message": "m"}}, ChannelRefused),
        ({"error": {"code": 4, "message": "m"}}, MediaLater),
    ],
)
async def test_what_meta_may_describe(
    http: aiohttp.ClientSession,
    cloud: CloudStandin,
    description: Mapping[str, object],
    error: type[HelixError] | None,
) -> None:
    """A foreign host gets neither us nor the token; half a file is tried again."""
    seen: list[str] = []
    digest = "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b"

    async def describe(request: web.Request) -> web.Response:
        home = f"http://{request.host}"
        told = {
            name: value.format(home=home, hex=digest) if isinstance(value, str) else value
            for name, value in description.items()
        }
        return web.json_response(told, status=400 if "error" in told else 200)

    async def file(request: web.Request) -> web.Response:
        seen.append(request.path)
        status = {"/redirect": 302, "/busy": 503, "/closed": 403}.get(request.path, 200)
        headers = {"Location": "http://127.0.0.1/"} if status == 302 else {}
        return web.Response(body=b"true", status=status, headers=headers)

    routes = (web.get("/v23.0/{id}", describe), web.get("/{name}", file))
    async with serving(*routes) as base_url:
        asked = fetch(http, cloud, "1", base_url=base_url)
        if error is None:
            assert (await asked).data == b"true"
        else:
            with pytest.raises(error):
                await asked


async def test_evolution_decrypts_on_demand(
    http: aiohttp.ClientSession, evolution: EvolutionStandin
) -> None:
    """The address that WhatsApp gives holds encrypted bytes: Evolution is asked by message id."""
    evolution.keep("m1", PHOTO, "image/jpeg")
    found = await fetch(http, evolution, "https://mmg.whatsapp.net/o1/v/t62/f.enc?ccb=11")
    assert (found.data, found.claimed_type) == (PHOTO, "image/jpeg")
    with pytest.raises(MediaRefused, match="does not have"):
        await fetch(http, evolution, "x", message_id="m2")
    for address in ("x", "http://["):
        with pytest.raises(MediaRefused):
            await fetch(http, evolution, address, message_id=None)
    with pytest.raises(ChannelRefused):
        await fetch(http, evolution, "x", apikey="wrong")
    with pytest.raises(MediaRefused):
        await fetch(http, evolution, "x", limits=MediaLimits(max_bytes=1_000, timeout_s=2))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"response": {"message": ["Error: Failed to fetch stream"]}}, MediaLater),
        (400, {"response": {"message": ["The message is not of the media type"]}}, MediaRefused),
        (500, {}, MediaLater),
        (404, {}, MediaRefused),
        (201, {"base64": "?"}, MediaRefused),
        (201, {"base64": None}, MediaLater),
        (201, [], MediaLater),
    ],
)
async def test_evolutions_answers(
    http: aiohttp.ClientSession,
    evolution: EvolutionStandin,
    status: int,
    body: object,
    error: type[HelixError],
) -> None:
    """What is gone is given up; what failed is tried again."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    async with serving(web.post("/{any:.*}", answer)) as base_url:
        with pytest.raises(error):
            await fetch(http, evolution, "x", base_url=base_url)


async def test_a_named_host_is_asked_and_no_other(
    http: aiohttp.ClientSession, evolution: EvolutionStandin
) -> None:
    """Evolution's S3 counts once the channel names it; until then Evolution itself is asked."""
    evolution.keep("m1", PHOTO, "image/jpeg")
    address = "https://s3.invalid/bucket/f.jpeg?X-Amz-Signature=1"
    assert (await fetch(http, evolution, address)).data == PHOTO
    with pytest.raises(MediaLater, match="no connection"):
        await fetch(http, evolution, address, media_hosts="s3.invalid,minio.invalid")


async def test_an_expired_address_is_no_end(
    http: aiohttp.ClientSession, evolution: EvolutionStandin
) -> None:
    """S3 refuses a signature of yesterday; Evolution still has the message."""
    evolution.keep("m1", PHOTO, "image/jpeg")
    expired = f"{evolution.base_url}/bucket/f.jpeg?X-Amz-Signature=1"
    assert (await fetch(http, evolution, expired)).data == PHOTO
    plain = "http://s3.invalid/bucket/f.jpeg"
    assert (await fetch(http, evolution, plain, media_hosts="s3.invalid")).data == PHOTO
    with pytest.raises(MediaRefused):
        await fetch(http, evolution, expired, message_id=None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            "http://localhost:3000/api/files/a%20b.jpg?x=1",
            "https://waha.lan/api/files/a%20b.jpg?x=1",
        ),
        ("http://169.254.169.254/latest", "https://waha.lan/latest"),
    ],
)
def test_an_address_is_moved_to_the_configured_server(told: str, expected: str) -> None:
    """For servers that name themselves as they see themselves from inside."""
    assert rebased(told, "https://waha.lan/") == expected


def test_files_within_a_body_are_found_by_message() -> None:
    """Beside the content or inside its wrapper; anything else in their place is none."""
    content = base64.b64encode(PHOTO).decode()
    one = {"key": {"id": "a"}, "message": {"imageMessage": {}, "base64": content}}
    inner = {"message": {"imageMessage": {}, "base64": content}}
    two = {"key": {"id": "b"}, "message": {"ephemeralMessage": inner}}
    bad = {"key": {"id": "c"}, "message": {"imageMessage": {}, "base64": {"0": 1}}}
    assert inline_media({"data": one}) == {"a": content}
    assert set(inline_media({"data": [one, two, bad, None, 7]})) == {"a", "b"}
    nothing: list[object] = [None, [], {"data": None}, {"data": {"key": 1, "message": []}}]
    for body in nothing:
        assert inline_media(body) == {}
    assert ADAPTERS["cloud_api"].inline_media({"data": one}) == {}

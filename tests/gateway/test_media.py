"""A buyer's file comes whole, within limits, and from nowhere that the channel does not name."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.adapters import ADAPTERS
from gateway.cloud_api.standin import CloudStandin
from gateway.errors import MediaLater, MediaRefused
from gateway.evolution.media import inline_media
from gateway.evolution.standin import EvolutionStandin
from gateway.media import (
    Media,
    MediaLimits,
    MediaRef,
    PublicOnly,
    ask,
    download,
    is_public,
    public_session,
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


HOME = "http://gateway.lan:8080/evo"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/x",
        "http://127.0.0.1:6379/",
        "http://[::1]/",
        "http://gateway.lan/x",
        "http://gateway.lan:8081/x",
        "https://gateway.lan:8080/x",
        "http://gateway.lan:8080@evil.example/",
        "https://user:password@files.example/",
        "http://files.example/plain",
        "https://files.example:8443/x",
        "https://files.example.evil.example/x",
        "https://evil.example/?https://files.example/",
        "https://evil.example#files.example",
        "//files.example/x",
        "file:///etc/passwd",
        "gopher://files.example/",
        "ftp://gateway.lan:8080/x",
        "http:///x",
        "",
        "http://[",
        "not an address",
        "stored:00",
    ],
)
async def test_ssrf(url: str) -> None:
    """Refused before anything is resolved or connected to."""
    with pytest.raises(MediaRefused):
        await download(
            None,  # type: ignore[arg-type]  # nobody gets as far as to use it
            url,
            home=HOME,
            hosts=["files.example"],
            headers={},
            limits=LIMITS,
            abroad=lambda: pytest.fail("it was asked"),
        )


class Names(AbstractResolver):
    """A name server of the test's."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Whatever the name."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["::1"], ["93.184.216.34", "192.168.0.1"]],
)
async def test_a_public_name_for_a_private_address(addresses: list[str]) -> None:
    """The very addresses that would be connected to are looked at, every one of them."""
    connector = aiohttp.TCPConnector(resolver=PublicOnly(Names(*addresses)))
    with pytest.raises(MediaRefused, match="private network"):
        await download(
            None,  # type: ignore[arg-type]
            "https://files.example/f",
            home=HOME,
            hosts=["files.example"],
            headers={},
            limits=LIMITS,
            abroad=lambda: aiohttp.ClientSession(connector=connector),
        )


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("0.0.0.1", False),
        ("100.64.0.1", False),
        ("172.16.5.4", False),
        ("192.168.1.1", False),
        ("198.18.0.1", False),
        ("224.0.1.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("ff02::1", False),
        ("nonsense", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Also where IPv6 wraps an IPv4 address."""
    assert is_public(address) is public


async def test_the_session_for_foreign_hosts_is_guarded() -> None:
    """It resolves through `PublicOnly` and keeps no cookies: also a name of ours is refused."""
    async with public_session() as session:
        with pytest.raises(MediaRefused, match="private network"):
            await ask(session, "GET", "https://localhost/", headers={}, limits=LIMITS)


@asynccontextmanager
async def serve_raw(
    answer: bytes, *, for_ever: bytes = b"", keep_open: bool = False
) -> AsyncIterator[str]:
    """A server that answers anything with these bytes, whatever HTTP says of them."""
    handlers: list[asyncio.Task[None] | None] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            while for_ever:
                writer.write(for_ever)
                await writer.drain()
                await asyncio.sleep(0)
            if keep_open:
                await reader.read()
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for handler in handlers:
            if handler is not None:
                handler.cancel()
        await asyncio.gather(*filter(None, handlers), return_exceptions=True)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "for_ever", "error"),
    [
        (b"Content-Length: 99999999\r\n\r\n", b"", MediaRefused),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"A" * 4096 + b"\r\n", MediaRefused),
        (b"\r\n", b"A" * 4096, MediaRefused),
        (b"Content-Length: 500\r\n\r\nhalf", b"", MediaLater),
        (b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", b"", MediaRefused),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"", MediaLater),
    ],
)
async def test_bombs(
    http: aiohttp.ClientSession, answer: bytes, for_ever: bytes, error: type[HelixError]
) -> None:
    """A length that lies, a stream without end, what unpacks to gigabytes, half a file."""
    async with serve_raw(b"HTTP/1.1 200 OK\r\n" + answer, for_ever=for_ever) as home:
        with pytest.raises(error):
            await download(http, f"{home}/f", home=home, hosts=(), headers={}, limits=LIMITS)


async def test_a_file_that_trickles_in_is_left(http: aiohttp.ClientSession) -> None:
    """The time limit is for the whole answer, not for its parts."""
    limits = MediaLimits(max_bytes=100, timeout_s=0.2)
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nA"
    async with serve_raw(start, keep_open=True) as home:
        with pytest.raises(MediaLater, match="TimeoutError"):
            await download(http, f"{home}/f", home=home, hosts=(), headers={}, limits=limits)


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

"""A buyer's file comes whole, within limits, and from nowhere that the channel does not name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.errors import MediaLater, MediaRefused
from gateway.media import (
    MediaLimits,
    PublicOnly,
    ask,
    download,
    is_public,
    public_session,
)
from schema.errors import HelixError

LIMITS = MediaLimits(max_bytes=10_000, timeout_s=2)
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

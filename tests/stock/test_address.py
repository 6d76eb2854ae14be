"""A stock file at an address: whole or not at all, and never from where it must not be asked."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from worker.stock.address import Address, NotNow, Seen, _is_public
from worker.stock.files import MAX_BYTES
from worker.stock.reading import BadFile

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _of(url: str, *, authorization: str | None = None, limit_s: float = 10) -> Address:
    return Address(url=url, authorization=authorization, private=True, limit_s=limit_s)


async def test_a_file_that_has_not_changed_does_not_come_again() -> None:
    """The server's own marks are sent back to it; the key goes along."""
    asked: list[tuple[str | None, str | None, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        names = ("If-None-Match", "If-Modified-Since", "Authorization")
        etag, since, key = (request.headers.get(name) for name in names)
        asked.append((etag, since, key))
        if etag == '"1"':
            return web.Response(status=304)
        headers = {"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"}
        return web.Response(body=b"Marca;Modelo\n", headers=headers)

    async with _serving(answer) as base:
        address = _of(f"{base}/estoque.csv?token=1", authorization="Bearer k")
        first = await address.fetch(Seen())
        assert first is not None
        assert (first[0].name, first[0].data) == ("estoque.csv", b"Marca;Modelo\n")
        assert await address.fetch(first[1]) is None

    assert asked == [
        (None, None, "Bearer k"),
        ('"1"', "Tue, 24 Nov 2026 10:00:00 GMT", "Bearer k"),
    ]
    assert "token" not in address.origin
    assert "Bearer" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://estoque.example/a.csv",
        "ftp://estoque.example/a.csv",
        "https://",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://10.0.0.5/a",
        "https://169.254.169.254/latest",
        "https://localhost/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://0.0.0.0/a",
        "https://x.example:99999/a",
    ],
)
async def test_an_inner_address_is_not_asked(url: str) -> None:
    """Nor plain http, unless it is allowed: the file's address may come from anybody."""
    with pytest.raises(BadFile):
        await Address(url=url).fetch(Seen())


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "fd00::1",
        "fe80::1%eth0",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_addresses_that_lead_inside(host: str) -> None:
    """In all their spellings."""
    assert not _is_public(host)
    assert _is_public("8.8.8.8")
    assert _is_public("2001:4860:4860::8888")


async def test_a_key_is_not_carried_to_another_server() -> None:
    """A redirect is followed, without what was meant for the first."""
    keys: list[str | None] = []

    async def there(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Authorization"))
        return web.Response(body=b"x")

    async with _serving(there) as other:

        async def here(request: web.Request) -> web.Response:
            raise web.HTTPFound(f"{other}/b.csv")

        async with _serving(here) as base:
            found = await _of(f"{base}/a.csv", authorization="Bearer k").fetch(Seen())

    assert found is not None
    assert keys == [None]


async def test_a_redirect_that_never_ends_is_left() -> None:
    """After a few."""

    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPFound("/again")

    async with _serving(answer) as base:
        with pytest.raises(BadFile, match="redireciona"):
            await _of(base).fetch(Seen())


@pytest.mark.parametrize(
    ("status", "error"), [(401, BadFile), (404, BadFile), (503, NotNow), (429, NotNow)]
)
async def test_what_a_person_must_mend_and_what_passes(status: int, error: type[Exception]) -> None:
    """A wrong key is not tried as if the server were down."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with _serving(answer) as base:
        with pytest.raises(error, match=str(status)):
            await _of(base).fetch(Seen())


async def test_half_a_file_is_none() -> None:
    """A connection that ends before all was sent gives nothing."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"Marca;Modelo\nFiat;Uno\n")
        assert request.transport is not None
        request.transport.close()
        return response

    async with _serving(answer) as base:
        with pytest.raises(NotNow):
            await _of(base).fetch(Seen())


async def test_a_file_that_swells_is_cut_off() -> None:
    """Its size counts as unpacked."""
    packed = gzip.compress(b"0" * (MAX_BYTES + 1))

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with _serving(answer) as base:
        with pytest.raises(BadFile, match="mais de"):
            await _of(base).fetch(Seen())


async def test_a_server_that_hangs_is_not_waited_for() -> None:
    """The limit is for the whole file."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"Marca")
        while not request.transport or not request.transport.is_closing():
            await response.write(b";")
        return response

    async with _serving(answer) as base:
        with pytest.raises((NotNow, BadFile)):
            await _of(base, limit_s=0.2).fetch(Seen())

"""A buyer's file at WAHA: asked for at the channel's own address, with its key, nowhere else."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from gateway.errors import MediaLater, MediaRefused
from gateway.media import MediaLimits, MediaRef
from gateway.waha.adapter import Waha
from schema.channels import Channel
from schema.errors import ChannelRefused
from tests.gateway.conftest import serving

LIMITS = MediaLimits(max_bytes=1000, timeout_s=2)


def _channel(base_url: str) -> Channel:
    return Channel(
        id=1,
        empresa_id=7,
        gateway="waha",
        identifier="loja",
        webhook_token="w",
        credentials={"base_url": base_url, "api_key": "the-key", "hmac_key": "h"},
    )


async def _file(request: web.Request) -> web.Response:
    if request.headers.get("X-Api-Key") != "the-key":
        return web.Response(status=401)
    return web.Response(body=b"\xff\xd8jpeg?" + request.query_string.encode())


@pytest.mark.parametrize("told", ["http://localhost:3000", "https://elsewhere.test"])
async def test_a_file_is_asked_for_at_the_channels_own_address(
    http: aiohttp.ClientSession, told: str
) -> None:
    """Whatever host the server takes itself for, or somebody has put there: the key stays here."""
    async with serving(web.get("/api/files/loja/a.jpg", _file)) as base_url:
        ref = MediaRef(address=f"{told}/api/files/loja/a.jpg?v=2")
        media = await Waha().fetch_media(http, _channel(base_url), ref, limits=LIMITS)

    assert media.data == b"\xff\xd8jpeg?v=2"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, ChannelRefused), (404, MediaRefused), (500, MediaLater), (302, MediaRefused)],
)
async def test_what_a_refusal_means(
    http: aiohttp.ClientSession, status: int, error: type[Exception]
) -> None:
    """Gone is gone; trouble comes again later; a key that is wrong is for a person."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "https://elsewhere.test/a"})

    async with serving(web.get("/api/files/{any}", refuse)) as base_url:
        ref = MediaRef(address="http://localhost:3000/api/files/a")
        with pytest.raises(error):
            await Waha().fetch_media(http, _channel(base_url), ref, limits=LIMITS)


async def test_a_file_beyond_the_limit_is_refused(http: aiohttp.ClientSession) -> None:
    """Not read to its end."""

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 2000)

    async with serving(web.get("/api/files/{any}", large)) as base_url:
        ref = MediaRef(address="http://localhost:3000/api/files/a")
        with pytest.raises(MediaRefused):
            await Waha().fetch_media(http, _channel(base_url), ref, limits=LIMITS)

"""Each way in which a send can end leads to what the caller does next, at every gateway."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters import ADAPTERS
from gateway.standin.values import Refusal
from schema.channels import Channel
from schema.errors import (
    ChannelBusy,
    ChannelRefused,
    HelixError,
    SendLater,
    SendRefused,
    SendUnknown,
)
from schema.replies import Reply
from tests.gateway.conftest import serving
from tests.gateway.line import BUYER, Line, channel_of, made

REPLY = Reply(to=BUYER, text="Olá, Ana! 👋", our_ref="7:42")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, SendRefused),
        (401, ChannelRefused),
        (403, ChannelRefused),
        (404, ChannelRefused),
        (408, SendUnknown),
        (429, ChannelBusy),
        (502, SendLater),
        (503, SendLater),
        (504, SendUnknown),
        (302, ChannelRefused),
    ],
)
async def test_a_status_without_a_word_decides(
    line: Line, status: int, error: type[HelixError]
) -> None:
    """As a proxy on the way answers; nothing reached the phone."""
    line.phone.refuse_next(1, Refusal(status=status, body={}))
    with pytest.raises(error) as caught:
        await line.send(REPLY)
    assert type(caught.value) is error
    assert BUYER not in str(caught.value)
    assert line.phone.outbox == []


@pytest.mark.parametrize("status", [200, 201, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"{}", b"[" * 200_000, b'{"id":null}'])
async def test_an_answer_that_tells_nothing_is_no_yes(
    kind: str, http: aiohttp.ClientSession, status: int, body: bytes
) -> None:
    """A yes without an id, an error without a word: never taken as sent."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    async with serving(web.post("/{any:.*}", answer)) as base_url:
        channel = channel_of(made(kind), base_url=base_url)
        with pytest.raises((SendUnknown, SendLater)) as caught:
            await ADAPTERS[kind].send(http, channel, REPLY, timeout_s=5)
    assert status == 500 or type(caught.value) in {SendUnknown, SendRefused}


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [("7", 7.0), ("0.5", 0.5), ("999999", 3600.0), ("-1", None), ("soon", None), ("nan", None)],
)
async def test_a_gateway_says_how_long_to_wait(
    line: Line, value: str, wait_s: float | None
) -> None:
    """Retry-After in seconds; nonsense is no wish, and nobody makes us wait for days."""
    line.phone.refuse_next(1, Refusal(status=429, body={}, headers={"Retry-After": value}))
    with pytest.raises(SendLater) as caught:
        await line.send(REPLY)
    assert caught.value.retry_after_s == wait_s


async def test_faults_strike_as_often_as_told(line: Line) -> None:
    """Two refusals, one lost answer, then all is well; the lost one did reach the phone."""
    line.phone.refuse_next(2, Refusal(status=503, body={}))
    line.phone.lose_answers()
    for error in (SendLater, SendLater, SendUnknown):
        with pytest.raises(error):
            await line.send(REPLY)
    assert len(line.phone.outbox) == 1
    await line.send(REPLY)
    assert len(line.phone.outbox) == 2


async def test_a_slow_gateway_leaves_the_matter_open(line: Line) -> None:
    """The answer comes after we stopped waiting; the message is out all the same."""
    line.phone.answer_delay_s = 0.3
    with pytest.raises(SendUnknown):
        await line.send(REPLY, timeout_s=0.1)
    await line.phone.wait_for(lambda outbox: any(sent.text == REPLY.text for sent in outbox))


async def free_port() -> int:
    """A port where nobody listens."""
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port


async def test_without_a_connection_nothing_was_sent(
    http: aiohttp.ClientSession, kind: str
) -> None:
    """Refused, or a host that does not exist: try again later, without a doubt."""
    for host in (f"127.0.0.1:{await free_port()}", "gateway.invalid"):
        channel = channel_of(made(kind), base_url=f"http://{host}")
        with pytest.raises(SendLater):
            await ADAPTERS[kind].send(http, channel, REPLY, timeout_s=5)


async def test_waiting_for_a_free_connection_is_not_sending(kind: str) -> None:
    """A pool that is used up: the time runs out before anything left us."""
    connector = aiohttp.TCPConnector(limit=1)
    held, started = asyncio.Event(), asyncio.Event()

    async def hold(_: web.Request) -> web.Response:
        started.set()
        await held.wait()
        return web.Response()

    async with (
        serving(web.post("/{any:.*}", hold)) as base_url,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        channel = channel_of(made(kind), base_url=base_url)
        other = asyncio.create_task(session.post(base_url + "/busy"))
        await started.wait()
        try:
            with pytest.raises(SendLater):
                await ADAPTERS[kind].send(session, channel, REPLY, timeout_s=0.1)
        finally:
            held.set()
            (await other).close()


@pytest.mark.parametrize("way", ["abort", "silence", "half"])
async def test_a_lost_answer_leaves_the_matter_open(
    http: aiohttp.ClientSession, kind: str, way: str
) -> None:
    """The request was read and then nothing came, or half of it: it may be out."""
    done = asyncio.Event()

    async def lose(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if way == "silence":
            await done.wait()
        if way == "half":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(lose, "127.0.0.1", 0)
    channel = channel_of(
        made(kind), base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    )
    try:
        with pytest.raises(SendUnknown):
            await ADAPTERS[kind].send(http, channel, REPLY, timeout_s=0.5)
    finally:
        done.set()
        server.close()
        await server.wait_closed()


async def test_incomplete_credentials_stop_the_channel(
    http: aiohttp.ClientSession, kind: str
) -> None:
    """Before anything is sent, as a refusal of the channel."""
    lacking = Channel(id=1, empresa_id=7, gateway=kind, identifier="1", webhook_token="w")
    with pytest.raises(ChannelRefused):
        await ADAPTERS[kind].send(http, lacking, REPLY, timeout_s=5)

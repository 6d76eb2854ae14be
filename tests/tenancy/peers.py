"""Peers on the network that behave badly on purpose."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymysql.constants import CLIENT


@asynccontextmanager
async def mute_server() -> AsyncIterator[int]:
    """The port of a server that accepts and never says a word."""
    open_ones: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in open_ones:
            writer.close()


@dataclass(slots=True)
class Recorder:
    """A MySQL server in its greeting; it keeps what it is told afterwards."""

    port: int = 0
    heard: bytes = b""
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def server_without_tls() -> AsyncIterator[Recorder]:
    """Greets as MariaDB does, offers no TLS, and listens until the client hangs up."""
    recorder = Recorder()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_greeting())
        recorder.heard = await reader.read()
        recorder.gone.set()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    recorder.port = server.sockets[0].getsockname()[1]
    try:
        yield recorder
    finally:
        server.close()


def _greeting() -> bytes:
    """Protocol::HandshakeV10."""
    flags = CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH
    flags |= CLIENT.CONNECT_WITH_DB
    body = b"\x0a10.11.0-MariaDB\0" + struct.pack("<I", 7) + b"saltsalt\0"
    body += struct.pack("<HBHHB", flags & 0xFFFF, 45, 2, flags >> 16, 21) + b"\0" * 10
    body += b"saltsaltsalt\0" + b"mysql_native_password\0"
    return struct.pack("<I", len(body))[:3] + b"\0" + body


class Relay:
    """A way to a server that can be cut, swallow what is sent, be slow, break off, and recover."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._up = True
        self._passes = asyncio.Event()
        self._passes.set()
        self._answers = asyncio.Event()
        self._answers.set()
        self._greeting_bytes: int | None = None
        self.delay_s = 0.0
        """Before each piece of data goes on."""
        self.accepted = 0
        """Connections so far."""
        self.port = 0

    def cut(self) -> None:
        """Breaks all connections; new ones are hung up on."""
        self._up = False
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def swallow(self) -> None:
        """Accepts as ever, and lets nothing through any more, as a firewall that forgot us."""
        self._passes.clear()

    def hold_answers(self) -> None:
        """What is asked goes on and is done; nobody hears so."""
        self._answers.clear()

    def break_off(self, after_bytes: int) -> None:
        """New connections end in the middle of the server's greeting."""
        self._greeting_bytes = after_bytes

    def restore(self) -> None:
        """Lets new connections through."""
        self._up = True
        self._greeting_bytes = None
        self._passes.set()
        self._answers.set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self.accepted += 1
        if not self._up:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        self._writers += [writer, up_writer]
        if self._greeting_bytes is not None:
            writer.write((await up_reader.read(65_536))[: self._greeting_bytes])
            for one in (writer, up_writer):
                one.close()
            return
        ways = ((reader, up_writer, self._passes), (up_reader, writer, self._answers))
        for way in ways:
            task = asyncio.create_task(self._pump(*way))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends all."""
        self.cut()
        self._passes.set()
        self._answers.set()
        await asyncio.gather(*self._tasks)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_: asyncio.Event
    ) -> None:
        try:
            while data := await reader.read(65_536):
                await self._passes.wait()
                await open_.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if writer.transport.is_closing():
                    break
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def relay(host: str, port: int) -> AsyncIterator[Relay]:
    """A relay to a server."""
    made = Relay(host, port)
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.close()


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = 5) -> None:
    """Asks until it holds, letting everything else take its turn in between."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)  # a question that needs no I/O would never let others run

"""A TCP proxy on loopback that can be cut, slowed and healed. Called by `ground` and `fleet`.

Bytes that a cut holds back arrive when it is healed, as after a true partition: late statements
of processes that have long given up are part of what is tried.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Self

HOST = "127.0.0.1"
_CHUNK = 65536
_RST = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 s: closing is a reset."""

Address = tuple[str, int]
Targets = Callable[[], Sequence[Address]]
"""Where connections go to, the first that accepts; asked for each of them."""


class Proxy:
    """One port. `async with` opens it."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._flows = asyncio.Event()
        self._flows.set()
        self._refuses = False
        self._delay_s = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in list(self._open):
            writer.transport.abort()

    # --- what goes wrong

    def hole(self) -> None:
        """Connections stay and come about, nothing gets through."""
        self._flows.clear()

    def reset(self) -> None:
        """All connections break, and so does each new one."""
        self._refuses = True
        for writer in list(self._open):
            _reset(writer)

    def delay(self, seconds: float) -> None:
        """Everything takes so much longer, each way."""
        self._delay_s = seconds

    def heal(self) -> None:
        """All as it should be."""
        self._refuses, self._delay_s = False, 0.0
        self._flows.set()

    # --- the way of a connection

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        self._open.add(writer)
        try:
            await self._flows.wait()
            if self._refuses:
                return
            back, there = await self._connect()
            ends.append(there)
            self._open.add(there)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(reader, there))
                ways.create_task(self._pump(back, writer))
        except* OSError:
            pass  # the other side is down, or a peer has gone: this connection breaks
        finally:
            for end in ends:
                self._open.discard(end)
                _reset(end)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for host, port in self._targets():
            try:
                return await asyncio.open_connection(host, port)
            except OSError:
                continue
        raise ConnectionRefusedError("nobody is there")

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
        if not writer.is_closing():
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Nothing is left to be sent when both ways have ended; otherwise this is what breaks them."""
    if not writer.is_closing():
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    writer.transport.abort()

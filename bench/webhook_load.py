"""Sends signed webhooks as quickly as they are taken: `python -m bench.webhook_load`.

A process of its own, with little more than sockets, so that it takes little of the CPU that it
shares with the server. stdin tells it as one line of JSON: host, port, seconds, connections,
and the channels (path, phone_number_id, app_secret, empresa). Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import cast

import orjson
import uvloop

from bench.load import message_id, phone_of
from gateway.cloud_api.auth import signature

_END_OF_HEADERS = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Caller(asyncio.Protocol):
    """One keep-alive connection: a request, its answer, the next request."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self._requests = requests
        self._until = until
        self._buffer = b""
        self._sent_at = 0.0
        self.waits_ms: list[float] = []
        self.refused: list[str] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        """Once the answer is whole, the next request."""
        self._buffer += data
        if not _is_whole(self._buffer):
            return
        self.waits_ms.append(1000 * (time.perf_counter() - self._sent_at))
        if not self._buffer.startswith(b"HTTP/1.1 200 "):
            self.refused.append(self._buffer.partition(b"\r\n")[0].decode(errors="replace"))
        self._buffer = b""
        if time.perf_counter() < self._until:
            self._next()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of the time, or the server's doing."""
        if time.perf_counter() < self._until:
            self.refused.append(f"connection lost: {exc}")
        if not self.over.done():
            self.over.set_result(None)

    def _next(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._requests))


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(_END_OF_HEADERS)
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return len(body) >= int(line[len(_LENGTH) :])
    return True


def requests(channels: Sequence[Mapping[str, str]], host: str) -> Iterator[bytes]:
    """A message of another buyer each time, as Meta sends it: whole HTTP requests."""
    for number in count():
        channel = channels[number % len(channels)]
        body = _body(channel, number // len(channels))
        yield b"".join(
            (
                f"POST {channel['path']} HTTP/1.1\r\nHost: {host}\r\n".encode(),
                b"Content-Type: application/json\r\nUser-Agent: facebookexternalua\r\n",
                f"X-Hub-Signature-256: {signature(body, channel['app_secret'].encode())}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode(),
                body,
            )
        )


def _body(channel: Mapping[str, str], conversation: int) -> bytes:
    phone = phone_of(conversation)
    message = {
        "from": phone,
        "id": message_id(int(channel["empresa"]), conversation, 0),
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "oi, tem suv automático até 120 mil?"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "551133330001",
            "phone_number_id": channel["phone_number_id"],
        },
        "contacts": [{"profile": {"name": "Ana Souza"}, "wa_id": phone}],
        "messages": [message],
    }
    change = {"value": value, "field": "messages"}
    return orjson.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340301", "changes": [change]}],
        }
    )


async def main() -> None:
    """The whole run."""
    told = orjson.loads(sys.stdin.readline())
    host, port = told["host"], told["port"]
    source = requests(told["channels"], f"{host}:{port}")
    started, cpu = time.perf_counter(), time.process_time()
    until = started + told["seconds"]
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(lambda: Caller(source, until), host, port))[1]
        for _ in range(told["connections"])
    ]
    await asyncio.gather(*(caller.over for caller in callers))
    report = {
        "seconds": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "waits_ms": sorted(wait for caller in callers for wait in caller.waits_ms),
        "refused": [line for caller in callers for line in caller.refused],
    }
    print(orjson.dumps(report).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main())

"""Reads a request's body within limits of size and time. Called by `worker.web.webhook`."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request


class BodyRefused(Exception):
    """The body is not taken; `status` says why to the gateway."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def read_body(request: Request, *, limit: int, timeout_s: float) -> bytes:
    """The raw bytes. Raises BodyRefused: 413 too large, 415 compressed, 408 too slow, 400 cut off.

    A body over the limit is refused while it streams in, before all of it is read.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise BodyRefused(415, f"content-encoding {encoding[:40]!r} is not accepted")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 12 or int(declared) > limit):
        raise BodyRefused(413, f"more than {limit} bytes")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise BodyRefused(413, f"more than {limit} bytes")
                parts.append(part)
    except TimeoutError:
        raise BodyRefused(408, f"not complete after {timeout_s} s") from None
    except ClientDisconnect:
        raise BodyRefused(400, "cut off") from None
    return b"".join(parts)

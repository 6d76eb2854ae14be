"""A stand-in of a service that hears audio, with OpenAI's interface: multipart in, JSON out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

KEY = "sk-test"
MODEL = "whisper-1"
_FORMATS = {"flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"}


@dataclass
class Ears:
    """What it hears, and how it fails."""

    says: dict[bytes, str] = field(default_factory=dict)
    """By the bytes of an audio; anything else is silence."""
    answers: list[web.Response] = field(default_factory=list)
    """Given first, one a request, in place of a transcript."""
    heard: list[dict[str, str]] = field(default_factory=list)
    """The fields of each request that was taken."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def __post_init__(self) -> None:
        self.go_on.set()

    async def handle(self, request: web.Request) -> web.Response:
        """POST /v1/audio/transcriptions."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, "Incorrect API key provided")
        if not request.content_type.startswith("multipart/form-data"):
            return _error(400, "Could not parse multipart form")
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField) or form.get("model") != MODEL:
            return _error(400, "you must provide a file and a model parameter")
        if file.filename.rpartition(".")[2] not in _FORMATS:
            return _error(400, f"Unrecognized file format. Supported formats: {sorted(_FORMATS)}")
        await self.go_on.wait()
        if self.answers:
            return self.answers.pop(0)
        told = {name: value for name, value in form.items() if isinstance(value, str)}
        self.heard.append({**told, "filename": file.filename, "type": file.content_type})
        return web.json_response({"text": self.says.get(file.file.read(), "")})


@asynccontextmanager
async def listening() -> AsyncIterator[Ears]:
    """The service on a free loopback port."""
    ears = Ears()
    app = web.Application()
    app.add_routes([web.post("/v1/audio/transcriptions", ears.handle)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ears.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield ears
    finally:
        ears.go_on.set()
        await runner.cleanup()


def _error(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status)

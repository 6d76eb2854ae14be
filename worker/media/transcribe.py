"""Has an audio turned into text by a service with OpenAI's interface. Called by this room's job.

Source: OpenAI's API reference, "Create transcription"; whisper.cpp, faster-whisper-server, Groq and
others speak the same: multipart with `file`, `model`, `language`, an answer of `{"text": ...}`.
"""

from __future__ import annotations

import mimetypes

import aiohttp

from gateway import fields
from gateway.errors import MediaLater, MediaRefused, NotJson
from gateway.json import loads
from worker.media.settings import TranscribeSettings

_LONGEST_ANSWER = 1024 * 1024
_NAMES = {"audio/ogg": "audio.ogg", "audio/mp4": "audio.m4a", "audio/amr": "audio.amr"}
"""The service tells the format by the file's name."""


class Transcriber:
    """Speaks to the service. One per process; only made where one is configured."""

    def __init__(self, session: aiohttp.ClientSession, settings: TranscribeSettings) -> None:
        self._session = session
        self._settings = settings
        self._url = f"{(settings.url or '').rstrip('/')}/audio/transcriptions"

    async def text_of(self, data: bytes, mime_type: str) -> str:
        """What is said. Raises MediaLater, and MediaRefused when it is never to be had."""
        headers = {}
        if self._settings.key is not None:
            headers["Authorization"] = f"Bearer {self._settings.key.get_secret_value()}"
        try:
            async with self._session.post(
                self._url,
                data=self._form(data, mime_type),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout_s),
                allow_redirects=False,
            ) as response:
                raw = await response.content.read(_LONGEST_ANSWER)
                while part := await response.content.read(_LONGEST_ANSWER - len(raw)):
                    raw += part
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise MediaLater(f"no transcript: {type(error).__name__}") from error
        return _text(response.status, raw)

    def _form(self, data: bytes, mime_type: str) -> aiohttp.FormData:
        form = aiohttp.FormData()
        name = _NAMES.get(mime_type) or f"audio{mimetypes.guess_extension(mime_type) or ''}"
        form.add_field("file", data, filename=name, content_type=mime_type)
        form.add_field("model", self._settings.model)
        form.add_field("language", self._settings.language)
        form.add_field("response_format", "json")
        return form


def _text(status: int, raw: bytes) -> str:
    if status in (400, 413, 415, 422):
        raise MediaRefused(f"no transcript: the service refuses this audio (HTTP {status})")
    if status != 200:  # a wrong key, a busy or broken service: for somebody to mend, and again
        raise MediaLater(f"no transcript: HTTP {status}")
    try:
        heard = fields.text(fields.obj(loads(raw)).get("text"))
    except NotJson:
        heard = None
    if heard is None:
        raise MediaLater("no transcript: the service answers something else")
    if not heard.strip():
        raise MediaRefused("no transcript: nothing is said in it")
    return heard.strip()

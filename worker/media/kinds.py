"""Says what a file is by its own bytes, whatever was claimed. Called by `worker.media.fetcher`."""

from __future__ import annotations

from collections.abc import Mapping

import puremagic

from gateway.errors import MediaRefused
from schema.events import EventKind

_IMAGES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jfif": "image/jpeg", ".png": "image/png",
    ".webp": "image/webp", ".gif": "image/gif", ".heic": "image/heic",
    ".heif": "image/heic",
}  # fmt: skip
_AUDIO = {
    ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".mp3": "audio/mpeg",
    ".mpga": "audio/mpeg", ".m4a": "audio/mp4", ".mp4": "audio/mp4", ".3ga": "audio/3gpp",
    ".3gp": "audio/3gpp", ".amr": "audio/amr", ".aac": "audio/aac", ".wav": "audio/wav",
    ".flac": "audio/flac",
}  # fmt: skip
_VIDEO = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".3gp": "video/3gpp", ".3ga": "video/3gpp",
    ".mov": "video/quicktime", ".webm": "video/webm", ".mkv": "video/x-matroska",
}  # fmt: skip
_PAPERS = {
    ".pdf": "application/pdf", ".zip": "application/zip", ".docx": "application/zip",
    ".pptx": "application/zip",
    ".xlsx": "application/zip", ".doc": "application/x-ole-storage",
    ".xls": "application/x-ole-storage", ".rtf": "application/rtf",
}  # fmt: skip
_KEPT: Mapping[EventKind, Mapping[str, str]] = {
    EventKind.IMAGE: _IMAGES,
    EventKind.STICKER: _IMAGES,
    EventKind.AUDIO: _AUDIO,
    EventKind.VIDEO: _VIDEO,
    EventKind.DOCUMENT: {**_AUDIO, **_VIDEO, **_PAPERS, **_IMAGES},
}
"""MIME types by the extensions that the library knows a file by. Office files are zips to it."""
_HEAD = 64 * 1024
_CLOSE = 0.3
"""RIFF alone (0.4) says nothing beside WAVE (0.8); an MP3 (0.5) may look like a ringtone (0.7)."""


def type_of(kind: EventKind, data: bytes) -> str:
    """The MIME type. Raises MediaRefused when the file is not of a type that this kind may have."""
    if not data:
        raise MediaRefused("the file is empty")
    allowed = _KEPT[kind]
    known = _known(data)
    found = next((allowed[name] for name in known if name in allowed), None)
    if found is not None:
        return found
    if kind is EventKind.DOCUMENT and not known and _is_text(data):
        return "text/plain"
    seen = next((name for name in known if name), "of no known type")
    raise MediaRefused(f"it was sent as {kind} and is {seen}")


def _known(data: bytes) -> list[str]:
    """Extensions of the types whose signature fits, the surest first, without mere containers."""
    try:
        matches = puremagic.magic_string(data[:_HEAD])
    except (puremagic.PureError, ValueError):
        return []
    surest = max((match.confidence for match in matches), default=0.0)
    close = [match.extension for match in matches if match.confidence > surest - _CLOSE]
    return [f".{extension.lstrip('.')}" if extension else "" for extension in close]


def _is_text(data: bytes) -> bool:
    try:
        text = data[:_HEAD].decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        # The head may end within a character; anything before that is no text.
        return len(data) > _HEAD and error.start >= _HEAD - 4
    return "\x00" not in text

"""Reads what a message says out of WAHA's payload. Called by this gateway's `parse`.

The payload has no type: what it is shows in which of its fields are filled, and for what WAHA does
not read itself, in the engine's own message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway import fields
from gateway.waha.ids import read_id
from gateway.waha.raw import RawMessage
from schema.events import EventKind

_FULL_NAME = re.compile(r"(?im)^(?:[\w-]{1,40}\.)?FN(?:;[^:\r\n]*)?:(.*)$")
"""A vCard's FN line (RFC 6350, 6.2.1), with a group and parameters or without."""
_ESCAPED = re.compile(r"\\([,;\\])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says."""

    kind: EventKind
    text: str | None = None
    quoted_id: str | None = None
    media: str | None = None
    button_id: str | None = None
    file_name: str | None = None
    mime_type: str | None = None
    reason: str | None = None


def content_of(payload: dict[str, object], raw: RawMessage) -> Content:
    """The content of a message; `ignored` when no person wrote any of it.

    `raw` is the payload's own `_data`.
    """
    quoted_id = read_id(fields.obj(payload.get("replyTo")).get("id")).id or raw.quoted_id
    location, cards = payload.get("location"), fields.items(payload.get("vCards"))
    if raw.is_technical:
        return Content(kind=EventKind.IGNORED, reason="technical")
    if isinstance(location, dict):
        text = fields.text(location.get("description")) or fields.text(location.get("name"))
        return Content(kind=EventKind.LOCATION, text=text, quoted_id=quoted_id)
    if cards:
        return Content(kind=EventKind.CONTACTS, text=_names(cards), quoted_id=quoted_id)
    if raw.is_answer:
        return Content(
            kind=EventKind.INTERACTIVE,
            text=raw.answer_title or fields.text(payload.get("body")),
            quoted_id=quoted_id,
            button_id=raw.answer_id,
        )
    if payload.get("hasMedia") is True or fields.obj(payload.get("media")):
        return _file(payload, raw, quoted_id)
    return _text(payload, raw, quoted_id)


def _names(cards: list[object]) -> str | None:
    """The names on vCards as people read them."""
    found = (_FULL_NAME.search(fields.text(card) or "") for card in cards)
    names = [_ESCAPED.sub(r"\1", name[1]).strip() for name in found if name]
    return ", ".join(name for name in names if name) or None


def _file(payload: dict[str, object], raw: RawMessage, quoted_id: str | None) -> Content:
    """A file keeps its kind when WAHA could not download it, or does not download files at all."""
    media = fields.obj(payload.get("media"))
    mime_type = fields.label(media.get("mimetype"))
    kind = raw.file_kind or _kind_by(mime_type)
    if kind is None:
        return Content(kind=EventKind.UNSUPPORTED, quoted_id=quoted_id, reason="unknown file")
    return Content(
        kind=kind,
        text=fields.text(payload.get("body")) or None,
        quoted_id=quoted_id,
        media=None if media.get("error") else fields.media(media.get("url")),
        file_name=fields.label(media.get("filename")) or raw.file_name,
        mime_type=mime_type,
    )


def _kind_by(mime_type: str | None) -> EventKind | None:
    if mime_type is None:
        return None
    kinds = {"image": EventKind.IMAGE, "video": EventKind.VIDEO, "audio": EventKind.AUDIO}
    return kinds.get(mime_type.partition("/")[0].lower(), EventKind.DOCUMENT)


def _text(payload: dict[str, object], raw: RawMessage, quoted_id: str | None) -> Content:
    body = fields.text(payload.get("body"))
    text = raw.text if body is None else body
    if raw.is_from_ad:
        reason = None if text is not None else "an ad click without text"
        return Content(kind=EventKind.REFERRAL_TEXT, text=text, quoted_id=quoted_id, reason=reason)
    if raw.is_unreadable:
        return Content(kind=EventKind.UNSUPPORTED, reason="not decrypted")
    if text is not None:
        return Content(kind=EventKind.TEXT, text=text, quoted_id=quoted_id)
    if raw.has_only_technical_content:
        return Content(kind=EventKind.IGNORED, reason="technical")
    names = ", ".join(raw.content_names()[:3])
    reason = fields.label(f"content: {names}")
    return Content(kind=EventKind.UNSUPPORTED, quoted_id=quoted_id, reason=reason)

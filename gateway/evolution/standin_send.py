"""Checks a send as Evolution's JSON schemas do. Called by the stand-in.

Source: `src/validate/message.schema.ts` and `chat.schema.ts` of Evolution API 2.3.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from gateway import fields
from gateway.standin.base import now
from gateway.standin.values import Outgoing, Refusal

_NAMES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}
_NEEDED: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "sendText": {"number": str, "text": str},
    "sendMedia": {"number": str, "mediatype": str},
    "sendLocation": {
        "number": str,
        "latitude": (int, float),
        "longitude": (int, float),
        "name": str,
        "address": str,
    },
    "sendButtons": {"number": str},
    "sendList": {
        "number": str,
        "title": str,
        "footerText": str,
        "buttonText": str,
        "sections": list,
    },
    "markMessageAsRead": {"readMessages": list},
    "sendPresence": {"number": str, "presence": str, "delay": (int, float)},
}
"""Required properties with their types."""
_MEDIA_TYPES = {"image", "document", "video", "audio"}
_PRESENCES = {"unavailable", "available", "composing", "recording", "paused"}


def problem(route: str, body: dict[str, object]) -> str | None:
    """What the schema of this route says against a body, None when it is content."""
    for name, kind in _NEEDED[route].items():
        value = body.get(name)
        if value is None:
            return f'instance requires property "{name}"'
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"instance.{name} is not of the right type"
    check = _FURTHER.get(route)
    return check(body) if check is not None else None


def outgoing(route: str, body: dict[str, object]) -> Outgoing:
    """What reaches the phone, of a body without a problem."""
    kind, text = _SHOWN[route](body)
    return Outgoing(
        to=fields.text(body.get("number")) or "",
        kind=kind,
        text=text,
        media=fields.text(body.get("media")),
        id=stanza_id(),
        at=now(),
        quoted_id=fields.text(fields.obj(fields.obj(body.get("quoted")).get("key")).get("id")),
        content=body,
    )


def refusal(status: int, message: object) -> Refusal:
    """An error as Evolution words it."""
    name = _NAMES.get(status, "Internal Server Error")
    return Refusal(
        status=status, body={"status": status, "error": name, "response": {"message": message}}
    )


def stanza_id() -> str:
    """A message id of WhatsApp Web."""
    return f"3EB0{secrets.token_hex(9).upper()}"


def _media(body: dict[str, object]) -> str | None:
    if body["mediatype"] not in _MEDIA_TYPES:
        return "instance.mediatype is not one of enum values: image,document,video,audio"
    if not fields.text(body.get("media")):
        return "Owned media must be a url, base64, or valid file with buffer"
    if body["mediatype"] == "document" and not fields.text(body.get("fileName")):
        return 'instance requires property "fileName"'
    return None


def _list(body: dict[str, object]) -> str | None:
    rows = _rows(body)
    if not rows:
        return "instance.sections does not meet minimum length of 1"
    for row in rows:
        if not fields.text(row.get("title")) or not fields.text(row.get("rowId")):
            return 'The "title" cannot be empty'
        if row.get("description") == "":
            return 'The "description" cannot be empty'
    return None


def _buttons(body: dict[str, object]) -> str | None:
    for button in fields.items(body.get("buttons")):
        if fields.obj(button).get("type") not in {"reply", "copy", "url", "call", "pix"}:
            return 'instance.buttons requires property "type"'
        if not fields.text(fields.obj(button).get("id")):
            return 'The "id" cannot be empty'
    return None


def _read(body: dict[str, object]) -> str | None:
    for message in fields.items(body["readMessages"]):
        key = fields.obj(message)
        if not fields.text(key.get("id")) or not fields.text(key.get("remoteJid")):
            return 'The "id" cannot be empty'
        if not isinstance(key.get("fromMe"), bool):
            return 'instance.readMessages requires property "fromMe"'
    return None if body["readMessages"] else "instance.readMessages does not meet minimum length"


def _presence(body: dict[str, object]) -> str | None:
    return None if body["presence"] in _PRESENCES else "instance.presence is not one of enum values"


def _rows(body: dict[str, object]) -> list[dict[str, object]]:
    sections = [fields.obj(section) for section in fields.items(body.get("sections"))]
    return [fields.obj(row) for s in sections for row in fields.items(s.get("rows"))]


_FURTHER: dict[str, Callable[[dict[str, object]], str | None]] = {
    "sendMedia": _media,
    "sendList": _list,
    "sendButtons": _buttons,
    "markMessageAsRead": _read,
    "sendPresence": _presence,
}
_SHOWN: dict[str, Callable[[dict[str, object]], tuple[str, str | None]]] = {
    "sendText": lambda body: ("text", fields.text(body.get("text"))),
    "sendMedia": lambda body: (str(body["mediatype"]), fields.text(body.get("caption"))),
    "sendLocation": lambda body: ("location", fields.text(body.get("name"))),
    "sendButtons": lambda body: ("buttons", fields.text(body.get("title"))),
    "sendList": lambda body: ("list", fields.text(body.get("description"))),
}

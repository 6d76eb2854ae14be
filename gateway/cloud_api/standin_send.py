"""Checks a send as Meta does: required parameters, types, lengths. Called by the stand-in.

Source: Meta's Cloud API reference, "Messages", "Interactive messages", "Templates".
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping

from gateway import fields
from gateway.standin.base import now
from gateway.standin.values import Outgoing, Refusal

_LONGEST_TEXT, _LONGEST_CAPTION, _LONGEST_BODY = 4096, 1024, 1024
_INVALID, _MISSING, _TEMPLATE = 100, 131008, 132018
_UNFIT_PARAMETER = re.compile(r"[\n\t]| {5}")


class _Bad(Exception):
    """A body that Meta refuses."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.code = code


def outgoing(body: dict[str, object]) -> Outgoing | Refusal:
    """What reaches the phone, or Meta's error."""
    try:
        to, kind, content = _head(body)
        text = _CHECKS[kind](content)
    except _Bad as bad:
        return refusal(400, bad.code, str(bad))
    return Outgoing(
        to=to,
        kind=_name(kind, content),
        text=text,
        media=fields.text(content.get("link")) or fields.text(content.get("id")),
        id=wamid(),
        at=now(),
        quoted_id=fields.text(fields.obj(body.get("context")).get("message_id")),
        our_ref=fields.text(body.get("biz_opaque_callback_data")),
        content=content,
    )


def _head(body: dict[str, object]) -> tuple[str, str, dict[str, object]]:
    to = fields.text(body.get("to")) or fields.text(body.get("recipient"))
    kind = fields.text(body.get("type")) or "text"
    content = body.get(kind)
    if body.get("messaging_product") != "whatsapp" or not to or kind not in _CHECKS:
        raise _Bad(_INVALID, "Invalid parameter")
    if not isinstance(content, dict):
        raise _Bad(_MISSING, f"Required parameter is missing: {kind}")
    return to, kind, content


def refusal(
    status: int,
    code: int,
    details: str,
    *,
    subcode: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    """An error as Meta words it."""
    error: dict[str, object] = {
        "message": f"(#{code}) {details}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
        "fbtrace_id": secrets.token_urlsafe(9),
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    return Refusal(status=status, body={"error": error}, headers=headers or {})


def wamid() -> str:
    """A message id."""
    return f"wamid.{secrets.token_urlsafe(24)}"


def _name(kind: str, content: dict[str, object]) -> str:
    """Buttons and lists are told apart, as a buyer does."""
    if kind != "interactive":
        return kind
    return "buttons" if content.get("type") == "button" else "list"


def _text(content: dict[str, object]) -> str | None:
    return _string(content, "body", _LONGEST_TEXT)


def _image(content: dict[str, object]) -> str | None:
    _link(content)
    return _string(content, "caption", _LONGEST_CAPTION, needed=False)


def _document(content: dict[str, object]) -> str | None:
    _string(content, "filename", 240, needed=False)
    return _image(content)


def _location(content: dict[str, object]) -> str | None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = content.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > most:
            raise _Bad(_INVALID, f"Param location['{name}'] must be a number within bounds")
    _string(content, "address", 1000, needed=False)
    return _string(content, "name", 1000, needed=False)


def _interactive(content: dict[str, object]) -> str | None:
    text = _string(fields.obj(content.get("body")), "text", _LONGEST_BODY)
    action = fields.obj(content.get("action"))
    if content.get("type") == "button":
        buttons = [fields.obj(button) for button in fields.items(action.get("buttons"))]
        if any(button.get("type") != "reply" for button in buttons):
            raise _Bad(_INVALID, "Button type invalid")
        _choices([fields.obj(b.get("reply")) for b in buttons], most=3, title=20, ident=256)
    elif content.get("type") == "list":
        _string(action, "button", 20)
        sections = [fields.obj(section) for section in fields.items(action.get("sections"))]
        if len(sections) > 1 and not all(fields.text(s.get("title")) for s in sections):
            raise _Bad(_MISSING, "Section title is required")
        rows = [fields.obj(row) for s in sections for row in fields.items(s.get("rows"))]
        _choices(rows, most=10, title=24, ident=200)
        for row in rows:
            _string(row, "description", 72, needed=False)
    else:
        raise _Bad(_INVALID, "Interactive type invalid")
    return text


def _choices(found: list[dict[str, object]], *, most: int, title: int, ident: int) -> None:
    if not 1 <= len(found) <= most:
        raise _Bad(_INVALID, f"Invalid number of options, min 1 max {most}")
    titles = [_string(choice, "title", title) for choice in found]
    ids = [_string(choice, "id", ident) for choice in found]
    if len(set(ids)) < len(ids) or len(set(titles)) < len(titles):
        raise _Bad(_INVALID, "Duplicated option")


def _template(content: dict[str, object]) -> str | None:
    _string(fields.obj(content.get("language")), "code", 10)
    for component in fields.items(content.get("components")):
        for parameter in fields.items(fields.obj(component).get("parameters")):
            value = _string(fields.obj(parameter), "text", 1024)
            if _UNFIT_PARAMETER.search(value or ""):
                raise _Bad(_TEMPLATE, "Param text cannot have new-line/tab characters")
    return _string(content, "name", 512)


def _link(content: dict[str, object]) -> None:
    link = fields.text(content.get("link"))
    if not link and not fields.text(content.get("id")):
        raise _Bad(_MISSING, "Required parameter is missing")
    if link and not link.startswith(("http://", "https://")):
        raise _Bad(_INVALID, "Param link is not a valid URI")


def _string(holder: dict[str, object], name: str, most: int, *, needed: bool = True) -> str | None:
    value = holder.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or not value:
        raise _Bad(_MISSING, f"Required parameter is missing: {name}")
    if len(value) > most:
        raise _Bad(_INVALID, f"Param {name} is too long")
    return value


_CHECKS: dict[str, Callable[[dict[str, object]], str | None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "location": _location,
    "interactive": _interactive,
    "template": _template,
}

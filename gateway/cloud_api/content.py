"""Reads what one Cloud API message says, whoever wrote it. Called by this gateway's `parse`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway import fields
from schema.events import Ad, EventKind


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
    changed_id: str | None = None
    """The message that an edit or a deletion is about."""
    complete: bool = True
    """False when the object named like the type is missing: the errors then stand elsewhere."""
    reason: str | None = None


def content_of(message: dict[str, object]) -> Content:
    """The content of a message of any type; `ignored` for those that no person wrote."""
    name = message.get("type")
    if not isinstance(name, str):
        return _unreadable("malformed: a type that is no text")
    if name == "system":
        return _system(message)
    reader = _READERS.get(name)
    found = message.get(name)
    whole = isinstance(found, list if name == "contacts" else dict)
    if reader is None:
        return _unreadable(f"type: {fields.label(name)}", complete=whole)
    if not whole:
        return _from_ad_without_text(message, name) or _unreadable(
            f"no {name} in it", complete=False
        )
    return reader(message, fields.obj(found))


def ad_of(message: dict[str, object]) -> Ad | None:
    """The ad that a message came from, beside whatever it says."""
    referral = fields.obj(message.get("referral"))
    if not referral:
        return None
    return Ad(
        source_id=fields.ident(referral.get("source_id")),
        source_url=fields.media(referral.get("source_url")),
        headline=fields.label(referral.get("headline")),
        body=fields.label(referral.get("body")),
        ctwa_clid=fields.ident(referral.get("ctwa_clid")),
    )


def _unreadable(reason: str, *, complete: bool = True) -> Content:
    return Content(kind=EventKind.UNSUPPORTED, complete=complete, reason=reason)


def _system(message: dict[str, object]) -> Content:
    """A changed number or identity: worth a log line, nothing to answer."""
    name = fields.label(fields.obj(message.get("system")).get("type"))
    return Content(kind=EventKind.IGNORED, reason=f"system: {name}")


def _quoted(message: dict[str, object]) -> str | None:
    return fields.ident(fields.obj(message.get("context")).get("id"))


def _is_from_ad(message: dict[str, object]) -> bool:
    return bool(fields.obj(message.get("referral")))


def _from_ad_without_text(message: dict[str, object], name: str) -> Content | None:
    """The click on an ad is the lead, also when the text that came with it got lost."""
    if name != "text" or not _is_from_ad(message):
        return None
    return Content(kind=EventKind.REFERRAL_TEXT, quoted_id=_quoted(message), complete=False)


def _text(message: dict[str, object], found: dict[str, object]) -> Content:
    body = fields.text(found.get("body"))
    if body is None:
        return _from_ad_without_text(message, "text") or _unreadable(
            "malformed: a text without body"
        )
    kind = EventKind.REFERRAL_TEXT if _is_from_ad(message) else EventKind.TEXT
    return Content(kind=kind, text=body, quoted_id=_quoted(message))


def _media(kind: EventKind) -> Callable[[dict[str, object], dict[str, object]], Content]:
    def read(message: dict[str, object], found: dict[str, object]) -> Content:
        return Content(
            kind=kind,
            text=fields.text(found.get("caption")) or None,
            quoted_id=_quoted(message),
            media=fields.media(fields.ident(found.get("id"))),
            file_name=fields.label(found.get("filename")),
            mime_type=fields.label(found.get("mime_type")),
        )

    return read


def _location(message: dict[str, object], found: dict[str, object]) -> Content:
    name = fields.text(found.get("name"))
    return Content(kind=EventKind.LOCATION, text=name, quoted_id=_quoted(message))


def _contacts(message: dict[str, object], _: dict[str, object]) -> Content:
    cards = [fields.obj(card) for card in fields.items(message.get("contacts"))]
    names = [fields.text(fields.obj(card.get("name")).get("formatted_name")) for card in cards]
    listed = ", ".join(name for name in names if name)
    return Content(kind=EventKind.CONTACTS, text=listed or None, quoted_id=_quoted(message))


def _reaction(_: dict[str, object], found: dict[str, object]) -> Content:
    return Content(
        kind=EventKind.REACTION,
        text=fields.text(found.get("emoji")) or "",
        quoted_id=fields.ident(found.get("message_id")),
    )


def _interactive(message: dict[str, object], found: dict[str, object]) -> Content:
    name = found.get("type")
    answer = fields.obj(found.get(name)) if isinstance(name, str) else {}
    seen = answer.get("body") if name == "nfm_reply" else answer.get("title")
    chosen = answer.get("name") if name == "nfm_reply" else answer.get("id")
    return Content(
        kind=EventKind.INTERACTIVE,
        text=fields.text(seen),
        quoted_id=_quoted(message),
        button_id=fields.label(chosen),
    )


def _button(message: dict[str, object], found: dict[str, object]) -> Content:
    return Content(
        kind=EventKind.INTERACTIVE,
        text=fields.text(found.get("text")),
        quoted_id=_quoted(message),
        button_id=fields.label(found.get("payload")),
    )


def _edit(_: dict[str, object], found: dict[str, object]) -> Content:
    changed = fields.ident(found.get("original_message_id"))
    if changed is None:
        return _unreadable("malformed: an edit of nothing")
    message = fields.obj(found.get("message"))
    # An edit of an edit of an edit would lead the reader as deep as the sender likes.
    new = None if message.get("type") in ("edit", "revoke") else content_of(message).text
    return Content(kind=EventKind.EDITED, text=new, changed_id=changed)


def _revoke(_: dict[str, object], found: dict[str, object]) -> Content:
    changed = fields.ident(found.get("original_message_id"))
    if changed is None:
        return _unreadable("malformed: a deletion of nothing")
    return Content(kind=EventKind.REVOKED, changed_id=changed)


_READERS: dict[str, Callable[[dict[str, object], dict[str, object]], Content]] = {
    "text": _text,
    "image": _media(EventKind.IMAGE),
    "audio": _media(EventKind.AUDIO),
    "video": _media(EventKind.VIDEO),
    "document": _media(EventKind.DOCUMENT),
    "sticker": _media(EventKind.STICKER),
    "location": _location,
    "contacts": _contacts,
    "reaction": _reaction,
    "interactive": _interactive,
    "button": _button,
    "edit": _edit,
    "revoke": _revoke,
}

"""Reads what a WhatsApp Web message says (the protobuf as JSON). Called by this gateway's `parse`.

Source: the message definitions of Baileys (WAProto) and how Evolution 2.3 rearranges them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from gateway import fields
from gateway.web_message import TECHNICAL, ad_of, flow_choice, is_from_ad, unwrapped
from schema.events import Ad, EventKind

_BESIDE = frozenset({"messageContextInfo", "base64", "mediaUrl"})
"""What may stand beside the one content of a message."""


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
    ad: Ad | None = None


def content_of(message: object, context: object = None) -> Content:
    """The content of a message, out of its wrappers; `ignored` when no person wrote any of it.

    `context` is the event's own contextInfo; versions differ in whether it or the content's says
    what was quoted and which ad was clicked, so both are asked.
    """
    layers = unwrapped(message)
    inner = layers[-1]
    name = next((name for name in _READERS if inner.get(name) is not None), None)
    found = inner.get(name) if name else None
    contexts = [fields.obj(context), fields.obj(fields.obj(found).get("contextInfo"))]
    from_ad = next((context for context in contexts if is_from_ad(context)), None)
    if name is None:
        content = _without_content(inner, from_ad=from_ad is not None)
    else:
        content = _READERS[name](found, layers, contexts)
    if from_ad is None:
        return content
    kind = EventKind.REFERRAL_TEXT if content.kind is EventKind.TEXT else content.kind
    return replace(content, kind=kind, ad=ad_of(from_ad))


def _without_content(message: dict[str, object], *, from_ad: bool) -> Content:
    """Nothing that we can read: a bare ad click, something technical, or a new kind of message."""
    if from_ad:
        return Content(kind=EventKind.REFERRAL_TEXT, reason="an ad click without text")
    names = sorted(name for name in message if message[name] is not None and name not in _BESIDE)
    if names and TECHNICAL.issuperset(names):
        return Content(kind=EventKind.IGNORED, reason="technical")
    return _unreadable(f"content: {', '.join(names[:3])}")


def _unreadable(reason: str) -> Content:
    return Content(kind=EventKind.UNSUPPORTED, reason=fields.label(reason))


_Layers = list[dict[str, object]]
_Reader = Callable[[object, _Layers, _Layers], Content]


def _quoted(contexts: _Layers) -> str | None:
    return _first(fields.ident(context.get("stanzaId")) for context in contexts)


def _first(found: Iterable[str | None]) -> str | None:
    return next((value for value in found if value), None)


def _conversation(found: object, _: _Layers, contexts: _Layers) -> Content:
    body = fields.text(found)
    if body is None:
        return _unreadable("malformed: a text that is none")
    return Content(kind=EventKind.TEXT, text=body, quoted_id=_quoted(contexts))


def _extended_text(found: object, layers: _Layers, contexts: _Layers) -> Content:
    return _conversation(fields.obj(found).get("text"), layers, contexts)


def _media(kind: EventKind) -> _Reader:
    def read(found: object, layers: _Layers, contexts: _Layers) -> Content:
        if not isinstance(found, dict):
            return _unreadable("malformed: a file that is no object")
        stored = _first(fields.media(layer.get("mediaUrl")) for layer in layers)
        return Content(
            kind=kind,
            text=fields.text(found.get("caption")) or None,
            quoted_id=_quoted(contexts),
            media=stored or fields.media(found.get("url")),
            file_name=fields.label(found.get("fileName")) or fields.label(found.get("title")),
            mime_type=fields.label(found.get("mimetype")),
        )

    return read


def _location(found: object, _: _Layers, contexts: _Layers) -> Content:
    if not isinstance(found, dict):
        return _unreadable("malformed: a place that is no object")
    return Content(
        kind=EventKind.LOCATION, text=fields.text(found.get("name")), quoted_id=_quoted(contexts)
    )


def _contact(found: object, _: _Layers, contexts: _Layers) -> Content:
    return _cards([found], contexts)


def _contacts(found: object, _: _Layers, contexts: _Layers) -> Content:
    return _cards(fields.items(fields.obj(found).get("contacts")), contexts)


def _cards(cards: list[object], contexts: _Layers) -> Content:
    names = [fields.text(fields.obj(card).get("displayName")) for card in cards]
    listed = ", ".join(name for name in names if name)
    return Content(kind=EventKind.CONTACTS, text=listed or None, quoted_id=_quoted(contexts))


def _reaction(found: object, _: _Layers, __: _Layers) -> Content:
    reaction = fields.obj(found)
    return Content(
        kind=EventKind.REACTION,
        text=fields.text(reaction.get("text")) or "",
        quoted_id=fields.ident(fields.obj(reaction.get("key")).get("id")),
    )


def _choice(title: str, chosen: str) -> _Reader:
    def read(found: object, _: _Layers, contexts: _Layers) -> Content:
        answer = fields.obj(found)
        row = fields.obj(answer.get("singleSelectReply")).get("selectedRowId")
        return Content(
            kind=EventKind.INTERACTIVE,
            text=fields.text(answer.get(title)),
            quoted_id=_quoted(contexts),
            button_id=fields.label(answer.get(chosen)) or fields.label(row),
        )

    return read


def _flow(found: object, _: _Layers, contexts: _Layers) -> Content:
    answer = fields.obj(found)
    flow = fields.obj(answer.get("nativeFlowResponseMessage"))
    return Content(
        kind=EventKind.INTERACTIVE,
        text=fields.text(fields.obj(answer.get("body")).get("text")),
        quoted_id=_quoted(contexts),
        button_id=flow_choice(flow),
    )


_READERS: dict[str, _Reader] = {
    "imageMessage": _media(EventKind.IMAGE),
    "videoMessage": _media(EventKind.VIDEO),
    "ptvMessage": _media(EventKind.VIDEO),
    "audioMessage": _media(EventKind.AUDIO),
    "documentMessage": _media(EventKind.DOCUMENT),
    "stickerMessage": _media(EventKind.STICKER),
    "locationMessage": _location,
    "liveLocationMessage": _location,
    "contactMessage": _contact,
    "contactsArrayMessage": _contacts,
    "reactionMessage": _reaction,
    "buttonsResponseMessage": _choice("selectedDisplayText", "selectedButtonId"),
    "listResponseMessage": _choice("title", "selectedRowId"),
    "templateButtonReplyMessage": _choice("selectedDisplayText", "selectedId"),
    "interactiveResponseMessage": _flow,
    "extendedTextMessage": _extended_text,
    # last: versions exist that leave an empty conversation beside the true content
    "conversation": _conversation,
}

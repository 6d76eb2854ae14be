"""Turns a webhook body of WAHA into events. Called through the adapter; pure and total.

Source of the shapes: WAHA's docs and code of July 2026. `from` and `to` mean different things to
different engines, so the buyer is the chat that stands in a message's id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway import fields
from gateway.phone import canonical_phone, not_a_buyer
from gateway.waha.content import Content, content_of
from gateway.waha.credentials import KIND
from gateway.waha.ids import read_id
from gateway.waha.raw import RawMessage
from schema.events import API_ECHO, DeliveryStatus, Event, EventKind

_NAMED = {
    "ERROR": DeliveryStatus.FAILED,
    "PENDING": DeliveryStatus.PENDING,
    "SERVER": DeliveryStatus.SENT,
    "DEVICE": DeliveryStatus.DELIVERED,
    "READ": DeliveryStatus.READ,
    "PLAYED": DeliveryStatus.PLAYED,
}
_NUMBERED = dict(enumerate(_NAMED.values(), start=-1))
_WORKING = "WORKING"
_BUSY = frozenset({"typing", "recording"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What stands around every payload."""

    channel: str | None
    timestamp: int | None
    own_phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chat:
    """Which message it is and whose chat it is in."""

    message_id: str | None
    ours: bool
    address: str | None
    phone: str | None
    lid: str | None
    closed: str | None
    """Why nobody who writes there is a buyer."""


def parse(body: object) -> list[Event]:
    """The one event of a webhook body."""
    outer = fields.obj(body)
    own_id = fields.text(fields.obj(outer.get("me")).get("id"))
    envelope = _Envelope(
        channel=fields.ident(outer.get("session")),
        timestamp=fields.unix_seconds(outer.get("timestamp")),
        own_phone=canonical_phone(own_id),
    )
    name = fields.text(outer.get("event"))
    if name is None:
        return [_ignored(envelope, "malformed: a body without event")]
    reader = _READERS.get(name)
    if reader is None:
        return [_ignored(envelope, f"event: {fields.label(name)}")]
    payload = outer.get("payload")
    if not isinstance(payload, dict):
        return [_ignored(envelope, "malformed: an event without payload")]
    return [reader(payload, envelope)]


def _message(payload: dict[str, object], envelope: _Envelope) -> Event:
    """A message of the buyer, of a seller who typed on the phone, or of ours by the API."""
    raw = RawMessage(payload.get("_data"))
    return _said(payload, envelope, raw, content_of(payload, raw))


def _reaction(payload: dict[str, object], envelope: _Envelope) -> Event:
    """An emoji on a message; without one the reaction was taken back."""
    reaction = fields.obj(payload.get("reaction"))
    content = Content(
        kind=EventKind.REACTION,
        text=fields.text(reaction.get("text")) or "",
        quoted_id=read_id(reaction.get("messageId")).id,
    )
    return _said(payload, envelope, RawMessage(payload.get("_data")), content)


def _said(
    payload: dict[str, object], envelope: _Envelope, raw: RawMessage, content: Content
) -> Event:
    chat = _chat(payload, envelope, raw)
    reason = chat.closed
    if reason is None and chat.message_id is None:
        reason = "malformed: a message without id"
    if content.kind is EventKind.IGNORED:
        reason = reason or content.reason
    if reason:
        return _ignored(envelope, reason, message_id=chat.message_id)
    # our own send coming back: it tells that an unanswered send did go out
    echo = chat.ours and payload.get("source") == "api"
    ours = EventKind.IGNORED if echo else EventKind.HUMAN_ECHO
    return Event(
        kind=ours if chat.ours else content.kind,
        message_id=chat.message_id,
        phone=chat.phone,
        channel=envelope.channel,
        text=content.text,
        timestamp=_moment(payload, envelope),
        from_me=chat.ours,
        quoted_id=content.quoted_id,
        media_id_or_url=content.media,
        gateway=KIND,
        reply_to=chat.address,
        user_id=chat.lid,
        push_name=None if chat.ours else raw.push_name,
        button_id=content.button_id,
        file_name=content.file_name,
        mime_type=content.mime_type,
        reason=API_ECHO if echo else content.reason,
        ad=None if chat.ours else raw.ad,
    )


def _edited(payload: dict[str, object], envelope: _Envelope) -> Event:
    return _changed(
        payload,
        envelope,
        message_id=read_id(payload.get("editedMessageId")).id,
        text=fields.text(payload.get("body")),
        kind=EventKind.EDITED,
    )


def _revoked(payload: dict[str, object], envelope: _Envelope) -> Event:
    """`after` stands where the message was; `before` is the message, if the engine still has it."""
    after, before = fields.obj(payload.get("after")), fields.obj(payload.get("before"))
    revoked = payload.get("revokedMessageId") or before.get("id")
    return _changed(
        after or before,
        envelope,
        message_id=read_id(revoked).id,
        text=None,
        kind=EventKind.REVOKED,
    )


def _changed(
    payload: dict[str, object],
    envelope: _Envelope,
    *,
    message_id: str | None,
    text: str | None,
    kind: EventKind,
) -> Event:
    chat = _chat(payload, envelope, RawMessage(payload.get("_data")))
    reason = chat.closed
    if message_id is None:
        reason = reason or "malformed: a change of no message"
    if reason:
        return _ignored(envelope, reason, message_id=message_id)
    return Event(
        kind=kind,
        message_id=message_id,
        phone=chat.phone,
        channel=envelope.channel,
        text=text,
        timestamp=_moment(payload, envelope),
        from_me=chat.ours,
        gateway=KIND,
        reply_to=chat.address,
        user_id=chat.lid,
    )


def _ack(payload: dict[str, object], envelope: _Envelope) -> Event:
    """How far a message of ours got. Some engines report groups under this name, too."""
    chat = _chat(payload, envelope, RawMessage(payload.get("_data")))
    error = fields.obj(payload.get("error"))
    name = fields.text(payload.get("ackName"))
    number = fields.code(payload.get("ack"))
    status = _NAMED.get(name.upper()) if name else None
    if name is None and number is not None:
        status = _NUMBERED.get(number)
    reason = chat.closed
    if reason is None and not chat.ours:
        reason = "we read a message of the buyer"
    if reason or status is None or chat.message_id is None:
        return _ignored(envelope, reason or "status: unknown", message_id=chat.message_id)
    return Event(
        kind=EventKind.STATUS,
        message_id=chat.message_id,
        phone=chat.phone,
        channel=envelope.channel,
        timestamp=_moment(payload, envelope),
        from_me=True,
        status=status,
        error_code=fields.code(error.get("code")),
        gateway=KIND,
        reply_to=chat.address,
        user_id=chat.lid,
        error_text=fields.label(error.get("reason")),
    )


def _presence(payload: dict[str, object], envelope: _Envelope) -> Event:
    """The buyer writes or records; that he is online, or has stopped, changes nothing."""
    chat = fields.address(payload.get("id"))
    states = {
        fields.label(fields.obj(presence).get("lastKnownPresence"))
        for presence in fields.items(payload.get("presences"))
    }
    reason = not_a_buyer(chat)
    if chat is None or reason or not _BUSY.intersection(states):
        return _ignored(envelope, reason or "presence")
    return Event(
        kind=EventKind.TYPING,
        phone=canonical_phone(chat),
        channel=envelope.channel,
        timestamp=envelope.timestamp,
        from_me=False,
        gateway=KIND,
        reply_to=chat,
        user_id=chat if chat.endswith("@lid") else None,
    )


def _session(payload: dict[str, object], envelope: _Envelope) -> Event:
    """Whether the phone is connected; in every state but WORKING nothing can be sent."""
    status = fields.label(payload.get("status"))
    acting = "" if status == _WORKING else ", nothing can be sent"
    return _ignored(envelope, f"session: {status}{acting}")


def _chat(payload: dict[str, object], envelope: _Envelope, raw: RawMessage) -> _Chat:
    found = read_id(payload.get("id"))
    said = payload.get("fromMe")
    ours = said if isinstance(said, bool) else found.ours is True
    named = (payload.get("to"), payload.get("from")) if ours else (payload.get("from"),)
    address = found.chat or next((a for a in map(fields.address, named) if a), None)
    others = raw.other_addresses(ours=ours)
    phones = [canonical_phone(other) for other in others]
    lids = [other for other in (address, *others) if other and other.endswith("@lid")]
    return _Chat(
        message_id=found.id,
        ours=ours,
        address=address,
        phone=canonical_phone(address)
        or next((phone for phone in phones if phone and phone != envelope.own_phone), None),
        lid=next(iter(lids), None),
        closed=not_a_buyer(address),
    )


def _moment(payload: dict[str, object], envelope: _Envelope) -> int | None:
    at = fields.unix_seconds(payload.get("timestamp"))
    return envelope.timestamp if at is None else at


def _ignored(envelope: _Envelope, reason: str, *, message_id: str | None = None) -> Event:
    return Event(
        kind=EventKind.IGNORED,
        message_id=message_id,
        channel=envelope.channel,
        gateway=KIND,
        reason=reason,
    )


_READERS: dict[str, Callable[[dict[str, object], _Envelope], Event]] = {
    "message": _message,
    "message.any": _message,
    "message.reaction": _reaction,
    "message.edited": _edited,
    "message.revoked": _revoked,
    "message.ack": _ack,
    "message.ack.group": _ack,
    "presence.update": _presence,
    "session.status": _session,
}

"""Turns a webhook body of Evolution into events. Called through the adapter; pure and total.

Source of the shapes: the code of Evolution API 2.3.6 and 2.3.7. The envelope's `sender` is our own
number and its `date_time` local time with a false Z: neither is ever read.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway import fields
from gateway.evolution.content import content_of
from gateway.evolution.credentials import KIND
from gateway.phone import canonical_phone, not_a_buyer
from schema.events import API_ECHO, DeliveryStatus, Event, EventKind

_NAMED = {
    "ERROR": DeliveryStatus.FAILED,
    "PENDING": DeliveryStatus.PENDING,
    "SERVER_ACK": DeliveryStatus.SENT,
    "DELIVERY_ACK": DeliveryStatus.DELIVERED,
    "READ": DeliveryStatus.READ,
    "PLAYED": DeliveryStatus.PLAYED,
}
_STATUSES = _NAMED | {str(number): status for number, status in enumerate(_NAMED.values())}
"""WAProto's enum, in its order: it comes as name or as number."""

_BUSY = frozenset({"composing", "recording"})
_EDIT, _REVOKE = frozenset({"14", "MESSAGE_EDIT"}), frozenset({"0", "REVOKE"})


def parse(body: object) -> list[Event]:
    """The events of one webhook body; `data` may be one thing or a list of them."""
    envelope = fields.obj(body)
    channel = fields.ident(envelope.get("instance"))
    name = envelope.get("event")
    if not isinstance(name, str):
        return [_ignored(channel, "malformed: a body without event")]
    folded = name.replace("_", ".").replace("-", ".").lower()
    reader = _READERS.get(folded)
    if reader is None:
        return [_ignored(channel, f"event: {fields.label(folded)}")]
    data = envelope.get("data")
    things = fields.items(data) if isinstance(data, list) else [data]
    return [reader(fields.obj(thing), channel) for thing in things] or [
        _ignored(channel, "nothing in it")
    ]


def _upsert(data: dict[str, object], channel: str | None) -> Event:
    """A message of the buyer, or of a seller who typed on the phone or another device."""
    if not isinstance(data.get("key"), dict):
        return _ignored(channel, "malformed: a message without key")
    key = fields.obj(data["key"])
    message_id = fields.ident(key.get("id"))
    reason = not_a_buyer(fields.text(key.get("remoteJid")))
    content = content_of(data.get("message"), data.get("contextInfo"))
    if reason or content.kind is EventKind.IGNORED:
        return _ignored(channel, reason or content.reason, message_id=message_id)
    ours = key.get("fromMe") is True
    return Event(
        kind=EventKind.HUMAN_ECHO if ours else content.kind,
        message_id=message_id,
        phone=_phone(key),
        channel=channel,
        text=content.text,
        timestamp=fields.unix_seconds(data.get("messageTimestamp")),
        from_me=ours,
        quoted_id=content.quoted_id,
        media_id_or_url=content.media,
        gateway=KIND,
        reply_to=_reply_to(key),
        user_id=_lid(key),
        push_name=None if ours else _push_name(data),
        button_id=content.button_id,
        file_name=content.file_name,
        mime_type=content.mime_type,
        reason=content.reason,
        ad=content.ad,
    )


def _update(data: dict[str, object], channel: str | None) -> Event:
    """How far a message of ours got. `messageId` is Evolution's own, `keyId` WhatsApp's."""
    message_id = fields.ident(data.get("keyId"))
    reason = not_a_buyer(fields.text(data.get("remoteJid")))
    status = _STATUSES.get(_enum(data.get("status")))
    if reason is None and data.get("fromMe") is not True:
        reason = "we read a message of the buyer"
    if reason or status is None:
        return _ignored(channel, reason or "status: unknown", message_id=message_id)
    return Event(
        kind=EventKind.STATUS,
        message_id=message_id,
        phone=canonical_phone(fields.text(data.get("remoteJid"))),
        channel=channel,
        from_me=True,
        status=status,
        gateway=KIND,
        reply_to=fields.address(data.get("remoteJid")),
    )


def _edited(data: dict[str, object], channel: str | None) -> Event:
    """The raw protocol message as its sender sees it: of its key only the id means anything."""
    message_id = fields.ident(fields.obj(data.get("key")).get("id"))
    kind = _enum(data.get("type"))
    if message_id is None or kind not in _EDIT | _REVOKE:
        return _ignored(channel, f"protocol: {fields.label(kind)}", message_id=message_id)
    edited = kind in _EDIT
    return Event(
        kind=EventKind.EDITED if edited else EventKind.REVOKED,
        message_id=message_id,
        channel=channel,
        text=content_of(data.get("editedMessage")).text if edited else None,
        timestamp=fields.unix_seconds(data.get("timestampMs")),
        gateway=KIND,
    )


def _deleted(data: dict[str, object], channel: str | None) -> Event:
    """A deletion, in our perspective and without a time."""
    key = data if data.get("id") is not None else fields.obj(data.get("key"))
    message_id = fields.ident(key.get("id"))
    reason = not_a_buyer(fields.text(key.get("remoteJid")))
    if message_id is None:
        reason = reason or "malformed: a deletion of nothing"
    if reason:
        return _ignored(channel, reason, message_id=message_id)
    return Event(
        kind=EventKind.REVOKED,
        message_id=message_id,
        phone=_phone(key),
        channel=channel,
        from_me=key.get("fromMe") is True,
        gateway=KIND,
        reply_to=_reply_to(key),
        user_id=_lid(key),
    )


def _api_echo(data: dict[str, object], channel: str | None) -> Event:
    """What we sent through the API coming back: it tells that an unanswered send did go out."""
    key = fields.obj(data.get("key"))
    return Event(
        kind=EventKind.IGNORED,
        message_id=fields.ident(key.get("id")),
        phone=_phone(key),
        channel=channel,
        text=content_of(data.get("message")).text,
        timestamp=fields.unix_seconds(data.get("messageTimestamp")),
        from_me=True,
        gateway=KIND,
        reply_to=_reply_to(key),
        user_id=_lid(key),
        reason=API_ECHO,
    )


def _presence(data: dict[str, object], channel: str | None) -> Event:
    """The buyer writes or records; that he is online, or has stopped, changes nothing."""
    chat = fields.address(data.get("id"))
    states = {
        fields.label(fields.obj(presence).get("lastKnownPresence"))
        for presence in fields.obj(data.get("presences")).values()
    }
    reason = not_a_buyer(chat)
    if chat is None or reason or not _BUSY.intersection(states):
        return _ignored(channel, reason or "presence")
    return Event(
        kind=EventKind.TYPING,
        phone=canonical_phone(chat),
        channel=channel,
        from_me=False,
        gateway=KIND,
        reply_to=chat,
        user_id=chat if chat.endswith("@lid") else None,
    )


def _connection(data: dict[str, object], channel: str | None) -> Event:
    """open, connecting, close or refused; 401: logged out, no sending until someone scans."""
    state = fields.label(data.get("state"))
    error_code = fields.code(data.get("statusReason"))
    return Event(
        kind=EventKind.IGNORED,
        channel=channel,
        error_code=error_code,
        gateway=KIND,
        reason=f"connection: {state}",
    )


def _addresses(key: dict[str, object]) -> list[str]:
    names = ("remoteJid", "remoteJidAlt", "senderPn", "senderLid", "previousRemoteJid")
    return [found for name in names if (found := fields.address(key.get(name)))]


def _phone(key: dict[str, object]) -> str | None:
    named = (fields.address(key.get(name)) for name in ("remoteJid", "remoteJidAlt", "senderPn"))
    return next((phone for jid in named if (phone := canonical_phone(jid))), None)


def _reply_to(key: dict[str, object]) -> str | None:
    """The chat as received, be it a lid; another address only where there is no chat."""
    return next(iter(_addresses(key)), None)


def _lid(key: dict[str, object]) -> str | None:
    return next((jid for jid in _addresses(key) if jid.endswith("@lid")), None)


def _push_name(data: dict[str, object]) -> str | None:
    """A name; ads bring the chat's own number in its place, which names nobody."""
    name = fields.label(data.get("pushName"))
    return None if name is None or name.isdigit() else name


def _enum(value: object) -> str:
    """A protobuf enum, which comes as its number or its name, as text to compare."""
    return (fields.ident(value) or "").upper()


def _ignored(channel: str | None, reason: str | None, *, message_id: str | None = None) -> Event:
    return Event(
        kind=EventKind.IGNORED,
        message_id=message_id,
        channel=channel,
        gateway=KIND,
        reason=reason,
    )


_READERS: dict[str, Callable[[dict[str, object], str | None], Event]] = {
    "messages.upsert": _upsert,
    "messages.update": _update,
    "messages.edited": _edited,
    "messages.delete": _deleted,
    "send.message": _api_echo,
    "connection.update": _connection,
    "presence.update": _presence,
}

"""Turns a webhook body of the Cloud API into events. Called through the adapter; pure and total.

Source of the shapes: Meta's Cloud API reference, "Webhooks", as of 2026 (BSUIDs included).
One body may hold the messages of many numbers: every entry, change, message and status is walked.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway import fields
from gateway.cloud_api.content import Content, ad_of, content_of
from gateway.cloud_api.credentials import KIND
from gateway.phone import canonical_phone
from schema.events import DeliveryStatus, Event, EventKind

_FIELDS = frozenset({"messages", "smb_message_echoes", "user_preferences"})
_ANOTHER_IDENTITY = frozenset(
    {"user_changed_number", "customer_changed_number", "user_changed_user_id"}
)
_MARKETING = "marketing_messages"
_STATUSES = {
    status.value: status for status in DeliveryStatus if status is not DeliveryStatus.PENDING
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """What all messages of one change share."""

    channel: str | None
    contacts: list[dict[str, object]]
    error_code: int | None

    def contact(self, wa_id: object, user_id: object) -> dict[str, object]:
        """The contact of a message: by id, never by position, which does not hold."""
        for contact in self.contacts:
            if wa_id is not None and contact.get("wa_id") == wa_id:
                return contact
            if user_id is not None and contact.get("user_id") == user_id:
                return contact
        return {}


def parse(body: object) -> list[Event]:
    """The events of one webhook body, in its order; at least one, `ignored` if need be."""
    events: list[Event] = []
    for entry in fields.items(fields.obj(body).get("entry")):
        for change in fields.items(fields.obj(entry).get("changes")):
            events += _change(fields.obj(change))
    return events or [_ignored(None, "malformed: no entry with changes")]


def _change(change: dict[str, object]) -> list[Event]:
    raw = fields.obj(change.get("value"))
    channel = fields.ident(fields.obj(raw.get("metadata")).get("phone_number_id"))
    field = change.get("field")
    if not isinstance(field, str) or field not in _FIELDS:
        return [_ignored(channel, f"field: {fields.label(field)}")]
    value = _Value(
        channel=channel,
        contacts=[fields.obj(contact) for contact in fields.items(raw.get("contacts"))],
        error_code=_first_error(raw)[0],
    )
    events = [_message(message, value, ours=False) for message in _listed(raw, "messages")]
    events += [_message(echo, value, ours=True) for echo in _listed(raw, "message_echoes")]
    events += [_status(status, channel) for status in _listed(raw, "statuses")]
    events += [_preference(wish, value) for wish in _listed(raw, "user_preferences")]
    return events or [_ignored(channel, "nothing in it", error_code=value.error_code)]


def _listed(value: dict[str, object], name: str) -> list[object]:
    """The entries of a list; something else in its place is one broken entry, not nothing."""
    found = value.get(name)
    if found is None or isinstance(found, list):
        return fields.items(found)
    return [None]


def _message(raw: object, value: _Value, *, ours: bool) -> Event:
    if not isinstance(raw, dict):
        return _ignored(value.channel, "malformed: a message that is no object")
    message: dict[str, object] = raw
    message_id = fields.ident(message.get("id"))
    if message.get("group_id") is not None:
        return _ignored(value.channel, "group", message_id=message_id)
    content = content_of(message)
    if content.kind is EventKind.IGNORED:
        ignored = _ignored(value.channel, content.reason, message_id=message_id)
        return ignored.model_copy(update=_another_identity(message))
    return _event(message, message_id, content, value, ours=ours)


def _event(
    message: dict[str, object],
    message_id: str | None,
    content: Content,
    value: _Value,
    *,
    ours: bool,
) -> Event:
    wa_id = message.get("to" if ours else "from")
    user_id = message.get("to_user_id" if ours else "from_user_id")
    contact = value.contact(wa_id, user_id)
    address = fields.address(wa_id)
    bsuid = fields.address(user_id) or fields.address(contact.get("user_id"))
    error_code, error_text = _first_error(message)
    if error_code is None and not content.complete:
        error_code = value.error_code
    changes_another = content.kind in {EventKind.EDITED, EventKind.REVOKED}
    return Event(
        kind=EventKind.HUMAN_ECHO if ours and not changes_another else content.kind,
        message_id=content.changed_id if changes_another else message_id,
        phone=canonical_phone(address),
        channel=value.channel,
        text=content.text,
        timestamp=fields.unix_seconds(message.get("timestamp")),
        from_me=ours,
        quoted_id=content.quoted_id,
        media_id_or_url=content.media,
        error_code=error_code,
        gateway=KIND,
        reply_to=address or bsuid,
        user_id=bsuid,
        push_name=fields.label(fields.obj(contact.get("profile")).get("name")),
        button_id=content.button_id,
        file_name=content.file_name,
        mime_type=content.mime_type,
        error_text=error_text,
        reason=content.reason,
        ad=ad_of(message),
    )


def _another_identity(message: dict[str, object]) -> dict[str, object]:
    """What a system message of a changed number or user id tells: who it was, who it is now."""
    told = fields.obj(message.get("system"))
    name = told.get("type")
    if not isinstance(name, str) or name not in _ANOTHER_IDENTITY:
        return {}
    address = fields.address(told.get("wa_id")) or fields.address(told.get("new_wa_id"))
    user_id = fields.address(told.get("user_id"))
    return {
        "phone": canonical_phone(address),
        "reply_to": address or user_id,
        "user_id": user_id,
        "former_phone": canonical_phone(fields.address(message.get("from"))),
        "former_user_id": fields.address(message.get("from_user_id")),
    }


def _preference(raw: object, value: _Value) -> Event:
    """The buyer's own switch for advertising: `stop` or `resume`."""
    wish = fields.obj(raw)
    said = wish.get("value")
    if wish.get("category") != _MARKETING or said not in ("stop", "resume"):
        return _ignored(value.channel, f"preference: {fields.label(wish.get('category'))}")
    address = fields.address(wish.get("wa_id"))
    contact = value.contact(wish.get("wa_id"), wish.get("user_id"))
    user_id = fields.address(wish.get("user_id")) or fields.address(contact.get("user_id"))
    return Event(
        kind=EventKind.PREFERENCE,
        phone=canonical_phone(address),
        channel=value.channel,
        timestamp=fields.unix_seconds(wish.get("timestamp")),
        from_me=False,
        gateway=KIND,
        reply_to=address or user_id,
        user_id=user_id,
        push_name=fields.label(fields.obj(contact.get("profile")).get("name")),
        wants_marketing=said == "resume",
    )


def _status(raw: object, channel: str | None) -> Event:
    status = fields.obj(raw)
    message_id = fields.ident(status.get("id"))
    name = status.get("status")
    if status.get("recipient_type") == "group":
        return _ignored(channel, "group", message_id=message_id)
    if not isinstance(name, str) or name.lower() not in _STATUSES:
        return _ignored(channel, f"status: {fields.label(name)}", message_id=message_id)
    address = fields.address(status.get("recipient_id"))
    user_id = fields.address(status.get("recipient_user_id"))
    error_code, error_text = _first_error(status)
    return Event(
        kind=EventKind.STATUS,
        message_id=message_id,
        phone=canonical_phone(address),
        channel=channel,
        timestamp=fields.unix_seconds(status.get("timestamp")),
        from_me=True,
        status=_STATUSES[name.lower()],
        error_code=error_code,
        gateway=KIND,
        reply_to=address or user_id,
        user_id=user_id,
        error_text=error_text,
        our_ref=fields.label(status.get("biz_opaque_callback_data")),
    )


def _first_error(holder: dict[str, object]) -> tuple[int | None, str | None]:
    """Code and wording of the first of `errors`: the details say most, the title least."""
    errors = fields.items(holder.get("errors"))
    error = fields.obj(errors[0]) if errors else {}
    details = fields.obj(error.get("error_data")).get("details")
    wording = fields.label(details) or fields.label(error.get("message"))
    return fields.code(error.get("code")), wording or fields.label(error.get("title"))


def _ignored(
    channel: str | None,
    reason: str | None,
    *,
    message_id: str | None = None,
    error_code: int | None = None,
) -> Event:
    return Event(
        kind=EventKind.IGNORED,
        message_id=message_id,
        channel=channel,
        error_code=error_code,
        gateway=KIND,
        reason=reason,
    )

"""Sends one reply through the Cloud API. Called through the adapter, by the delivery of `worker`.

Source: Meta's Cloud API reference, "Messages" and "Error codes". Meta asks to decide by the error
code, not by the HTTP status or the title.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NoReturn
from urllib.parse import quote

import aiohttp

from gateway import fields
from gateway.cloud_api.credentials import CloudCredentials
from gateway.http import Answer, post
from gateway.limits import check
from schema.channels import Channel
from schema.errors import (
    ChannelBusy,
    ChannelRefused,
    PairBusy,
    SendLater,
    SendRefused,
    SendUnknown,
)
from schema.replies import Reply, ReplyKind, Sent

_PAIR_RATE = 131056
"""One message to the same user every six seconds, once a burst is used up."""
_NUMBER_RATE = frozenset({4, 80007, 130429})
"""The number's throughput, or the account's calls in an hour."""
_AGAIN = frozenset({1, 2, 131000, 131016, 131057, 133004, 135000})
LATER_CODES = _AGAIN | _NUMBER_RATE | {_PAIR_RATE}
CHANNEL_CODES = frozenset(
    {0, 3, 10, 190, *range(200, 300), 131005}  # token and permissions
    | {368, 130497, 131031, 131037, 131042, 131045, 131048, 131064}  # account, spam, billing
)
_BAD_PARAMETER, _NO_SUCH_OBJECT = 100, 33
"""100 is our mistake in a body, but with subcode 33: this token sees no such phone number."""
_A_NUMBER = re.compile(r"\+?[0-9]+", re.ASCII)


async def send(
    session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
) -> Sent:
    """Hands one reply to Meta. A 200 is no delivery: failures may still come as a status.

    Raises SendLater, SendUnknown, SendRefused or ChannelRefused (BadCredentials included).
    """
    credentials = CloudCredentials.of(channel.credentials)
    check(reply)
    return _sent(await _post(session, channel, credentials, body_of(reply), timeout_s))


async def mark_read(
    session: aiohttp.ClientSession,
    channel: Channel,
    *,
    message_ids: Sequence[str],
    typing: bool,
    timeout_s: float,
) -> None:
    """Marks the last of these read, and thereby all before it; `typing` until we answer, or 25 s.

    Raises as `send` does.
    """
    body: dict[str, object] = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": message_ids[-1],
    }
    if typing:
        body["typing_indicator"] = {"type": "text"}
    await _post(session, channel, CloudCredentials.of(channel.credentials), body, timeout_s)


async def _post(
    session: aiohttp.ClientSession,
    channel: Channel,
    credentials: CloudCredentials,
    body: dict[str, object],
    timeout_s: float,
) -> Answer:
    number = quote(channel.identifier, safe="")
    answer = await post(
        session,
        f"{credentials.base_url}/{credentials.api_version}/{number}/messages",
        body,
        headers=credentials.bearer(),
        timeout_s=timeout_s,
    )
    if answer.status != 200:
        _refuse(answer)
    return answer


def body_of(reply: Reply) -> dict[str, object]:
    """The request as Meta documents it; an address that is no number is a BSUID."""
    body: dict[str, object] = {"messaging_product": "whatsapp", "recipient_type": "individual"}
    body["to" if _A_NUMBER.fullmatch(reply.to) else "recipient"] = reply.to
    name, content = _CONTENT[reply.kind](reply)
    body |= {"type": name, name: content}
    if reply.quoted_id:
        body["context"] = {"message_id": reply.quoted_id}
    if reply.our_ref:
        body["biz_opaque_callback_data"] = reply.our_ref
    return body


_Named = tuple[str, dict[str, object]]
"""The type of a message and the object named like it."""


def _text(reply: Reply) -> _Named:
    return "text", {"preview_url": False, "body": reply.text}


def _image(reply: Reply) -> _Named:
    return "image", _told({"link": reply.media_url}, caption=reply.text)


def _document(reply: Reply) -> _Named:
    named: dict[str, object] = {"link": reply.media_url, "filename": reply.file_name}
    return "document", _told(named, caption=reply.text)


def _location(reply: Reply) -> _Named:
    if reply.location is None:
        raise SendRefused("a place without coordinates")
    place = reply.location
    point: dict[str, object] = {"latitude": place.latitude, "longitude": place.longitude}
    return "location", _told(point, name=place.name, address=place.address)


def _buttons(reply: Reply) -> _Named:
    buttons = [
        {"type": "reply", "reply": {"id": option.id, "title": option.title}}
        for option in reply.options
    ]
    return "interactive", {
        "type": "button",
        "body": {"text": reply.text},
        "action": {"buttons": buttons},
    }


def _list(reply: Reply) -> _Named:
    rows = [
        _told({"id": option.id, "title": option.title}, description=option.description)
        for option in reply.options
    ]
    return "interactive", {
        "type": "list",
        "body": {"text": reply.text},
        "action": {"button": reply.button, "sections": [{"rows": rows}]},
    }


def _template(reply: Reply) -> _Named:
    if reply.template is None:
        raise SendRefused("a template without a name")
    template = reply.template
    body: dict[str, object] = {"name": template.name, "language": {"code": template.language}}
    if template.parameters:
        # Meta refuses line breaks and runs of blanks within a parameter.
        texts = [" ".join(value.split()) for value in template.parameters]
        filled = [{"type": "text", "text": value} for value in texts]
        body["components"] = [{"type": "body", "parameters": filled}]
    return "template", body


def _told(content: dict[str, object], **more: str | None) -> dict[str, object]:
    """With what else is known; Meta takes no nulls."""
    return content | {name: value for name, value in more.items() if value}


_CONTENT: dict[ReplyKind, Callable[[Reply], _Named]] = {
    ReplyKind.TEXT: _text,
    ReplyKind.IMAGE: _image,
    ReplyKind.DOCUMENT: _document,
    ReplyKind.LOCATION: _location,
    ReplyKind.BUTTONS: _buttons,
    ReplyKind.LIST: _list,
    ReplyKind.TEMPLATE: _template,
}


def _sent(answer: Answer) -> Sent:
    body = fields.obj(answer.body)
    messages, contacts = fields.items(body.get("messages")), fields.items(body.get("contacts"))
    message_id = fields.ident(fields.obj(messages[0]).get("id")) if messages else None
    if message_id is None:
        raise SendUnknown("Meta took the message and gave no id for it")
    contact = fields.obj(contacts[0]) if contacts else {}
    address = fields.address(contact.get("wa_id")) or fields.address(contact.get("user_id"))
    return Sent(message_id=message_id, address=address)


def _refuse(answer: Answer) -> NoReturn:
    error = fields.obj(fields.obj(answer.body).get("error"))
    code = fields.code(error.get("code"))
    if code is None:
        _refuse_by_status(answer)
    wording = fields.label(fields.obj(error.get("error_data")).get("details"))
    reason = f"Meta's error {code}: {wording or fields.label(error.get('message'))}"
    no_such_number = code == _BAD_PARAMETER and error.get("error_subcode") == _NO_SUCH_OBJECT
    if code in CHANNEL_CODES or no_such_number:
        raise ChannelRefused(reason, code=code)
    if code == _PAIR_RATE:
        raise PairBusy(reason, retry_after_s=answer.retry_after_s)
    if code in _NUMBER_RATE:
        raise ChannelBusy(reason, retry_after_s=answer.retry_after_s)
    if code in _AGAIN or error.get("is_transient") is True or answer.status >= 500:
        raise SendLater(reason, retry_after_s=answer.retry_after_s)
    raise SendRefused(reason, code=code)


def _refuse_by_status(answer: Answer) -> NoReturn:
    """Without Meta's own error it is something on the way that speaks, a proxy for example."""
    reason = f"HTTP {answer.status} without an error of Meta's"
    if answer.status in (408, 504) or answer.status < 300:
        raise SendUnknown(reason)
    if answer.status == 429:
        raise ChannelBusy(reason, retry_after_s=answer.retry_after_s)
    if answer.status >= 500:
        raise SendLater(reason, retry_after_s=answer.retry_after_s)
    if answer.status in (401, 403, 404):
        raise ChannelRefused(reason, code=answer.status)
    raise SendRefused(reason, code=answer.status)

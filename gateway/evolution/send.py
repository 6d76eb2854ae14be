"""Sends one reply through Evolution. Called through the adapter, by the delivery of `worker`.

Source: the code of Evolution API 2.3 and its users' reports. What fails inside the server may come
as 400 or as 500, so the wording decides before the status does.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import quote, urlsplit

import aiohttp
import orjson

from gateway import fields
from gateway.evolution.credentials import EvolutionCredentials
from gateway.fallback import as_text
from gateway.http import Answer, post
from gateway.limits import check
from schema.channels import Channel
from schema.errors import ChannelBusy, ChannelRefused, SendLater, SendRefused, SendUnknown
from schema.replies import Reply, ReplyKind, Sent

_TYPING_S = 3.0
_RECONNECT_S = 15.0
"""A dropped WhatsApp connection comes back within seconds, or waits for a person with a phone."""


async def send(
    session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
) -> Sent:
    """Hands one reply to Evolution. A 201 says PENDING: nothing was delivered yet.

    Raises SendLater, SendUnknown, SendRefused or ChannelRefused (BadCredentials included).
    """
    credentials = EvolutionCredentials.of(channel.credentials)
    check(reply)
    route, body = request_of(reply, native_options=credentials.native_options)
    answer = await _post(session, channel, credentials, f"message/{route}", body, timeout_s)
    key = fields.obj(fields.obj(answer.body).get("key"))
    message_id = fields.ident(key.get("id"))
    if message_id is None:
        raise SendUnknown("Evolution took the message and gave no id for it")
    return Sent(message_id=message_id, address=fields.address(key.get("remoteJid")))


async def mark_read(
    session: aiohttp.ClientSession,
    channel: Channel,
    *,
    address: str,
    message_ids: Sequence[str],
    typing: bool,
    timeout_s: float,
) -> None:
    """Marks these read; `typing` shows for a few seconds, for which Evolution holds the call open.

    Raises as `send` does.
    """
    credentials = EvolutionCredentials.of(channel.credentials)
    jid = address if "@" in address else f"{address}@s.whatsapp.net"
    read = [{"remoteJid": jid, "fromMe": False, "id": message_id} for message_id in message_ids]
    body: dict[str, object] = {"readMessages": read}
    await _post(session, channel, credentials, "chat/markMessageAsRead", body, timeout_s)
    if typing:
        delay_ms = int(min(_TYPING_S, timeout_s / 2) * 1000)
        body = {"number": address, "delay": delay_ms, "presence": "composing"}
        await _post(session, channel, credentials, "chat/sendPresence", body, timeout_s)


async def _post(
    session: aiohttp.ClientSession,
    channel: Channel,
    credentials: EvolutionCredentials,
    route: str,
    body: dict[str, object],
    timeout_s: float,
) -> Answer:
    answer = await post(
        session,
        f"{credentials.base_url}/{route}/{quote(channel.identifier, safe='')}",
        body,
        headers={"apikey": credentials.apikey.get_secret_value()},
        timeout_s=timeout_s,
    )
    if answer.status not in (200, 201):
        _refuse(answer)
    return answer


def request_of(reply: Reply, *, native_options: bool = False) -> tuple[str, dict[str, object]]:
    """Route and body as Evolution 2 checks them; `number` takes a number, a jid or a lid alike.

    Raises SendRefused for a template: only the Cloud API has them.
    """
    if reply.kind is ReplyKind.TEMPLATE:
        raise SendRefused("a template goes out through the Cloud API only")
    kind = reply.kind
    if kind in {ReplyKind.BUTTONS, ReplyKind.LIST} and not native_options:
        kind = ReplyKind.TEXT
    route, content = _CONTENT[kind](reply)
    body: dict[str, object] = {"number": reply.to, **content}
    if reply.quoted_id:
        body["quoted"] = {"key": {"id": reply.quoted_id}}
    return route, body


_Request = tuple[str, dict[str, object]]


def _text(reply: Reply) -> _Request:
    return "sendText", {"text": reply.text if reply.kind is ReplyKind.TEXT else as_text(reply)}


def _media(reply: Reply) -> _Request:
    image = reply.kind is ReplyKind.IMAGE
    address = PurePosixPath(urlsplit(reply.media_url or "").path).name
    guess = mimetypes.guess_type(address if image else reply.file_name or address)[0] or ""
    body: dict[str, object] = {"mediatype": reply.kind.value, "media": reply.media_url}
    if image:
        body["mimetype"] = guess if guess.startswith("image/") else "image/jpeg"
    else:
        body["mimetype"] = guess or "application/octet-stream"
        body["fileName"] = reply.file_name
    return "sendMedia", body | ({"caption": reply.text} if reply.text else {})


def _location(reply: Reply) -> _Request:
    if reply.location is None:
        raise SendRefused("a place without coordinates")
    place = reply.location
    return "sendLocation", {
        "latitude": place.latitude,
        "longitude": place.longitude,
        # Both are required, and may be empty.
        "name": place.name or "",
        "address": place.address or "",
    }


def _buttons(reply: Reply) -> _Request:
    buttons = [
        {"type": "reply", "displayText": option.title, "id": option.id} for option in reply.options
    ]
    # Evolution writes the title in bold, which does not go over a line's end.
    title, _, further = (reply.text or "").partition("\n")
    body: dict[str, object] = {"title": title, "buttons": buttons}
    return "sendButtons", body | ({"description": further.strip()} if further.strip() else {})


def _list(reply: Reply) -> _Request:
    rows = [
        {"title": option.title, "rowId": option.id}
        | ({"description": option.description} if option.description else {})
        for option in reply.options
    ]
    return "sendList", {
        "title": "",
        "description": reply.text,
        "footerText": "",
        "buttonText": reply.button,
        "sections": [{"title": reply.button, "rows": rows}],
    }


_CONTENT: dict[ReplyKind, Callable[[Reply], _Request]] = {
    ReplyKind.TEXT: _text,
    ReplyKind.IMAGE: _media,
    ReplyKind.DOCUMENT: _media,
    ReplyKind.LOCATION: _location,
    ReplyKind.BUTTONS: _buttons,
    ReplyKind.LIST: _list,
}


def _refuse(answer: Answer) -> NoReturn:
    message = fields.obj(fields.obj(answer.body).get("response")).get("message")
    first = fields.obj(next(iter(fields.items(message)), None))
    if answer.status == 400 and first.get("exists") is False:
        raise SendRefused("this number is not on WhatsApp", code=400)
    wording = _wording(message)
    _refuse_by_wording(wording)
    reason = f"HTTP {answer.status} of Evolution: {wording}"
    if answer.status in (401, 403, 404):
        raise ChannelRefused(reason, code=answer.status)
    if answer.status == 429:
        raise ChannelBusy(reason, retry_after_s=answer.retry_after_s)
    if answer.status in (502, 503):
        raise SendLater(reason, retry_after_s=answer.retry_after_s)
    if answer.status >= 500 or answer.status == 408 or answer.status < 300:
        raise SendUnknown(reason)
    raise SendRefused(reason, code=answer.status)


def _refuse_by_wording(wording: str) -> None:
    """Returns when the wording says nothing that is known."""
    if "Connection Closed" in wording:
        # Baileys says so when its socket is not open, before it writes the message.
        raise SendLater("the phone's connection is down", retry_after_s=_RECONNECT_S)
    if "Timed Out" in wording:
        raise SendUnknown("WhatsApp did not answer Evolution in time")
    if "Prisma" in wording:
        # The database comes after WhatsApp: the buyer has the message already.
        raise SendUnknown("Evolution could not store what it sent")
    if "textMessage" in wording:
        raise ChannelRefused("this Evolution server is of a version that we do not speak")


def _wording(message: object) -> str:
    """Strings, lists of strings and lists of lists: all seen. Never the buyer's number."""
    if isinstance(message, str):
        return fields.label(message) or ""
    if any(isinstance(part, dict) for part in fields.items(message)):
        return "details withheld"
    return fields.label(orjson.dumps(message, default=str).decode()) or ""

"""Sends one reply through WAHA, and says that we read and type. Called through the adapter.

Source: the code of WAHA 2026.7 and its users' reports. What an engine says comes as a 500 with the
engine's own words, so the wording decides before the status does.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import urlsplit

import aiohttp

from gateway import fields
from gateway.fallback import as_text
from gateway.http import Answer, post
from gateway.limits import check
from gateway.waha.credentials import WahaCredentials
from gateway.waha.ids import MessageId, full_id, read_id
from schema.channels import Channel
from schema.errors import ChannelBusy, ChannelRefused, SendLater, SendRefused, SendUnknown
from schema.replies import Location, Reply, ReplyKind, Sent

_RECONNECT_S = 15.0
"""A session that starts or reconnects is back within seconds, or waits for a person."""
_ON_ITS_WAY = frozenset({"STARTING", "WORKING"})
"""States of a session that pass by themselves; for the others someone must start it or scan."""
_NUMBER = re.compile(r"[0-9]{6,}")

_NOTHING_SENT = (
    "websocket not connected",  # whatsmeow (GOWS)
    "No connection established",  # WAHA to its own GOWS process
    "Connection Closed",  # Baileys (NOWEB)
)
"""What engines say before a message has left: it can simply be sent again."""
_TOO_MUCH = "rate-overlimit"
"""WhatsApp's own word, before anything has left."""
_NO_ACCOUNT = ("no LID found for", "No LID for user")
_LOGGED_OUT = "the store doesn't contain a device JID"
_FILE_NOT_FETCHED = "Request failed with status code 4"
"""axios, as WAHA fetches the file that it shall send."""


async def send(
    session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
) -> Sent:
    """Hands one reply to WAHA. A 201 is no delivery: acks say how far it got.

    Raises SendLater, SendUnknown, SendRefused or ChannelRefused (BadCredentials included).
    """
    check(reply)
    route, body = request_of(reply)
    answer = await _post(session, channel, route, body, timeout_s=timeout_s)
    sent = _sent_id(answer.body)
    if sent.id is None:
        raise SendUnknown("WAHA took the message and gave no id for it")
    return Sent(message_id=sent.id, address=sent.chat)


async def mark_read(
    session: aiohttp.ClientSession,
    channel: Channel,
    *,
    address: str,
    message_ids: Sequence[str],
    typing: bool,
    timeout_s: float,
) -> None:
    """Two blue ticks on the buyer's messages, then "typing" until something is sent.

    `address` is the buyer's (`Event.reply_to`), `message_ids` are bare; without any nothing is
    marked. Raises what `send` raises; nothing is lost by going on without it.
    """
    chat = _chat_id(address)
    if message_ids:
        full = [full_id(message_id, chat=chat) for message_id in message_ids]
        seen = {"chatId": chat, "messageIds": full}
        await _post(session, channel, "sendSeen", seen, timeout_s=timeout_s)
    if typing:
        await _post(session, channel, "startTyping", {"chatId": chat}, timeout_s=timeout_s)


def request_of(reply: Reply) -> tuple[str, dict[str, object]]:
    """The endpoint and its body, without the session; raises SendRefused for a template.

    WAHA's own buttons are marked as deprecated and its lists do not show on all phones: both go as
    numbered text.
    """
    chat = _chat_id(reply.to)
    quoted = {"reply_to": full_id(reply.quoted_id, chat=chat)} if reply.quoted_id else {}
    route, content = _content_of(reply)
    return route, {"chatId": chat, **content, **quoted}


def _content_of(reply: Reply) -> tuple[str, dict[str, object]]:
    match reply.kind:
        case ReplyKind.TEMPLATE:
            raise SendRefused("templates exist on the Cloud API only, not on WAHA")
        case ReplyKind.IMAGE:
            return "sendImage", _file(reply, otherwise="image/jpeg", wanted="image/")
        case ReplyKind.DOCUMENT:
            return "sendFile", _file(reply, otherwise="application/octet-stream")
        case ReplyKind.LOCATION:
            return "sendLocation", _place(reply.location)
        case ReplyKind.BUTTONS | ReplyKind.LIST:
            return "sendText", {"text": as_text(reply), "linkPreview": False}
        case ReplyKind.TEXT:
            return "sendText", {"text": reply.text, "linkPreview": False}


def _file(reply: Reply, *, otherwise: str, wanted: str = "") -> dict[str, object]:
    """WAHA fetches the file itself; `wanted` begins the mime types that the endpoint is for."""
    name = PurePosixPath(urlsplit(reply.media_url or "").path).name
    shown = reply.file_name or name
    guessed = mimetypes.guess_type(shown)[0] or mimetypes.guess_type(name)[0] or ""
    mime_type = guessed if guessed and guessed.startswith(wanted) else otherwise
    file: dict[str, object] = {"url": reply.media_url, "mimetype": mime_type}
    if shown:
        file["filename"] = shown
    return {"file": file, "caption": reply.text} if reply.text else {"file": file}


def _place(location: Location | None) -> dict[str, object]:
    if location is None:  # Reply checks that a location has one
        raise SendRefused("a location without a place")
    title = ", ".join(part for part in (location.name, location.address) if part)
    return {"latitude": location.latitude, "longitude": location.longitude, "title": title}


def _chat_id(address: str) -> str:
    """An address as WAHA takes it: chats by number end in c.us, lids stay what they are."""
    user, _, server = address.partition("@")
    return f"{user}@c.us" if server in {"", "s.whatsapp.net"} else address


async def _post(
    session: aiohttp.ClientSession,
    channel: Channel,
    route: str,
    body: Mapping[str, object],
    *,
    timeout_s: float,
) -> Answer:
    credentials = WahaCredentials.of(channel.credentials)
    answer = await post(
        session,
        f"{credentials.base_url}/api/{route}",
        {"session": channel.identifier, **body},
        headers={"X-Api-Key": credentials.api_key.get_secret_value()},
        timeout_s=timeout_s,
    )
    if answer.status not in (200, 201):
        _refuse(answer)
    return answer


def _sent_id(body: object) -> MessageId:
    """Engines answer with WAHA's text as `id`, with an object there, or with Baileys's `key`."""
    answer = fields.obj(body)
    found = read_id(answer.get("id"))
    return found if found.id is not None else read_id(answer.get("key"))


def _refuse(answer: Answer) -> NoReturn:
    error = fields.obj(answer.body)
    wording = _wording(error)
    reason = f"HTTP {answer.status} of WAHA: {_NUMBER.sub('...', wording)[:200]}"
    if answer.status == 422:
        _refuse_by_state(error, reason)
    if answer.status >= 500:
        _refuse_by_wording(wording, reason)
    if answer.status in (401, 403, 404):
        raise ChannelRefused(reason, code=answer.status)
    if answer.status == 429:
        raise ChannelBusy(reason, retry_after_s=answer.retry_after_s)
    if answer.status in (502, 503):
        raise SendLater(reason, retry_after_s=answer.retry_after_s)
    if answer.status == 501:
        raise SendRefused("this engine of WAHA cannot send that", code=501)
    if answer.status >= 500 or answer.status == 408 or answer.status < 300:
        raise SendUnknown(reason)
    raise SendRefused(reason, code=answer.status)


def _refuse_by_state(error: dict[str, object], reason: str) -> None:
    """WAHA has waited for the session to work and sent nothing. Returns when it is not that."""
    state = fields.label(error.get("status"))
    if state is None or not isinstance(error.get("expected"), list):
        return
    if state in _ON_ITS_WAY:
        raise SendLater(f"the session is {state}", retry_after_s=_RECONNECT_S)
    raise ChannelRefused(f"the session is {state}: {reason}", code=422)


def _refuse_by_wording(wording: str, reason: str) -> None:
    """Returns when the wording says nothing that is known."""
    if any(words in wording for words in _NO_ACCOUNT):
        raise SendRefused("WhatsApp knows no account at this address", code=500)
    if _LOGGED_OUT in wording:
        raise ChannelRefused("the session is logged out")
    if _TOO_MUCH in wording:
        raise ChannelBusy(reason, retry_after_s=_RECONNECT_S)
    if any(words in wording for words in _NOTHING_SENT):
        raise SendLater(reason, retry_after_s=_RECONNECT_S)
    if _FILE_NOT_FETCHED in wording:
        raise SendRefused("WAHA could not fetch the file", code=500)


def _wording(error: dict[str, object]) -> str:
    """What went wrong in words: an engine's exception, or the web framework's own message."""
    exception = fields.obj(error.get("exception"))
    said = (exception.get("message"), error.get("message"), error.get("error"))
    return next((words for words in map(fields.label, said) if words), "no reason given")

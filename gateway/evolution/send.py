"""Sends one reply through Evolution. Called through the adapter, by the delivery of `worker`.

Source: the code of Evolution API 2.3 and its users' reports. What fails inside the server may come
as 400 or as 500, so the wording decides before the status does.
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath
from typing import NoReturn
from urllib.parse import quote, urlsplit

import aiohttp
import orjson

from gateway import fields
from gateway.evolution.credentials import EvolutionCredentials
from gateway.http import Answer, post
from schema.channels import Channel
from schema.errors import ChannelBusy, ChannelRefused, SendLater, SendRefused, SendUnknown
from schema.replies import Reply, ReplyKind, Sent

_RECONNECT_S = 15.0
"""A dropped WhatsApp connection comes back within seconds, or waits for a person with a phone."""


async def send(
    session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
) -> Sent:
    """Hands one reply to Evolution. A 201 says PENDING: nothing was delivered yet.

    Raises SendLater, SendUnknown, SendRefused or ChannelRefused (BadCredentials included).
    """
    credentials = EvolutionCredentials.of(channel.credentials)
    route = "sendMedia" if reply.kind is ReplyKind.IMAGE else "sendText"
    answer = await post(
        session,
        f"{credentials.base_url}/message/{route}/{quote(channel.identifier, safe='')}",
        body_of(reply),
        headers={"apikey": credentials.apikey.get_secret_value()},
        timeout_s=timeout_s,
    )
    if answer.status not in (200, 201):
        _refuse(answer)
    key = fields.obj(fields.obj(answer.body).get("key"))
    message_id = fields.ident(key.get("id"))
    if message_id is None:
        raise SendUnknown("Evolution took the message and gave no id for it")
    return Sent(message_id=message_id, address=fields.address(key.get("remoteJid")))


def body_of(reply: Reply) -> dict[str, object]:
    """The request as Evolution 2 checks it; `number` takes a number, a jid or a lid alike."""
    body: dict[str, object] = {"number": reply.to}
    if reply.kind is ReplyKind.IMAGE:
        name = PurePosixPath(urlsplit(reply.media_url or "").path).name
        kind = mimetypes.guess_type(name)[0] or ""
        body |= {"mediatype": "image", "media": reply.media_url}
        body |= {"mimetype": kind if kind.startswith("image/") else "image/jpeg"}
        body |= {"caption": reply.text} if reply.text else {}
    else:
        body["text"] = reply.text
    if reply.quoted_id:
        body["quoted"] = {"key": {"id": reply.quoted_id}}
    return body


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

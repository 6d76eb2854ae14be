"""Gets at a buyer's file through Evolution. Called through the adapter.

Source: the code of Evolution API 2.3. Three ways: in the webhook itself (option base64), at an
address of its S3, or decrypted on demand. The address that WhatsApp gives is of no use: what lies
there is encrypted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from urllib.parse import quote

import aiohttp

from gateway import fields
from gateway.errors import MediaLater, MediaRefused, NotJson
from gateway.evolution.credentials import EvolutionCredentials
from gateway.json import loads
from gateway.media import Media, MediaLimits, MediaRef, ask, download, host_of, refuse
from gateway.web_message import unwrapped
from schema.channels import Channel
from schema.errors import ChannelRefused

_GONE = ("not found", "not of the media type")
_AROUND = 64 * 1024
"""What an answer holds beside the file."""


def inline_media(body: object) -> Mapping[str, str]:
    """Base64 by message id, of messages that carry their file themselves."""
    data = fields.obj(body).get("data")
    found: dict[str, str] = {}
    for thing in fields.items(data) if isinstance(data, list) else [data]:
        message = fields.obj(thing)
        message_id = fields.ident(fields.obj(message.get("key")).get("id"))
        for layer in unwrapped(message.get("message")):
            content = layer.get("base64")
            if message_id is not None and isinstance(content, str) and content:
                found[message_id] = content
    return found


async def fetch_media(
    session: aiohttp.ClientSession, channel: Channel, media: MediaRef, *, limits: MediaLimits
) -> Media:
    """From its S3 where the channel names that host, else decrypted by Evolution.

    Raises MediaLater, MediaRefused, ChannelRefused.
    """
    credentials = EvolutionCredentials.of(channel.credentials)
    home, host = credentials.base_url, host_of(media.address)
    if host in credentials.media_hosts or media.address.startswith(f"{home}/"):
        try:
            return await _from_its_store(session, credentials, media.address, limits)
        except (MediaRefused, ChannelRefused):
            # A signed address that has expired, for example: Evolution can still decrypt it.
            if media.message_id is None:
                raise
    if media.message_id is None:
        raise MediaRefused("the message has no id to ask Evolution by")
    status, raw = await ask(
        session,
        "POST",
        f"{home}/chat/getBase64FromMediaMessage/{quote(channel.identifier, safe='')}",
        headers={"apikey": credentials.apikey.get_secret_value()},
        json={"message": {"key": {"id": media.message_id}}, "convertToMp4": False},
        limits=MediaLimits(
            max_bytes=limits.max_bytes * 4 // 3 + _AROUND, timeout_s=limits.timeout_s
        ),
    )
    # Beside the event loop: tens of megabytes of JSON and base64 take their time.
    return await asyncio.to_thread(_media, status, raw, limits)


async def _from_its_store(
    session: aiohttp.ClientSession,
    credentials: EvolutionCredentials,
    address: str,
    limits: MediaLimits,
) -> Media:
    data = await download(
        session,
        address,
        home=credentials.base_url,
        hosts=credentials.media_hosts,
        headers={},
        limits=limits,
    )
    return Media(data=data)


def _refusal(status: int, told: dict[str, object]) -> MediaLater | MediaRefused | ChannelRefused:
    """All that goes wrong inside is 400; only the wording tells what is gone for good."""
    if status != 400:
        return refuse(status)
    wording = str(fields.obj(told.get("response")).get("message")).lower()
    if any(known in wording for known in _GONE):
        return MediaRefused("Evolution does not have the file")
    return MediaLater("Evolution could not get the file")


def _media(status: int, raw: bytes, limits: MediaLimits) -> Media:
    try:
        told = fields.obj(loads(raw))
    except NotJson:
        told = {}
    if status not in (200, 201):
        raise _refusal(status, told)
    content = told.get("base64")
    if not isinstance(content, str) or not content:
        raise MediaLater("Evolution answers without the file")
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise MediaRefused("what Evolution answers is no base64") from None
    if len(data) > limits.max_bytes:
        raise MediaRefused(f"the file has more than {limits.max_bytes} bytes")
    return Media(
        data=data,
        claimed_type=fields.label(told.get("mimetype")),
        file_name=fields.label(told.get("fileName")),
    )

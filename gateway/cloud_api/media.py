"""Fetches a buyer's file from the Cloud API. Called through the adapter, by `worker.media`.

Source: Meta's Cloud API reference, "Media": an id leads to an address that lives five minutes and
needs the token; the id itself lives for some days.
"""

from __future__ import annotations

import base64
import hashlib
from typing import NoReturn
from urllib.parse import quote

import aiohttp

from gateway import fields
from gateway.cloud_api.credentials import CloudCredentials
from gateway.cloud_api.send import CHANNEL_CODES, LATER_CODES
from gateway.errors import MediaLater, MediaRefused, NotJson
from gateway.json import loads
from gateway.media import Media, MediaLimits, MediaRef, ask, download, refuse
from schema.channels import Channel
from schema.errors import ChannelRefused

_DESCRIPTION_BYTES = 64 * 1024


async def fetch_media(
    session: aiohttp.ClientSession, channel: Channel, media: MediaRef, *, limits: MediaLimits
) -> Media:
    """Asks where the file is, then for it. Raises MediaLater, MediaRefused, ChannelRefused."""
    credentials = CloudCredentials.of(channel.credentials)
    number, media_id = quote(channel.identifier, safe=""), quote(media.address, safe="")
    status, raw = await ask(
        session,
        "GET",
        f"{credentials.base_url}/{credentials.api_version}/{media_id}?phone_number_id={number}",
        headers=credentials.bearer(),
        limits=MediaLimits(max_bytes=_DESCRIPTION_BYTES, timeout_s=limits.timeout_s),
    )
    told = _object(raw)
    url = fields.text(told.get("url"))
    if status != 200 or url is None:
        _refuse(status, told)
    size = fields.code(told.get("file_size")) or 0
    if size > limits.max_bytes:
        raise MediaRefused(f"the file has {size} bytes, more than {limits.max_bytes}")
    data = await download(
        session,
        url,
        home=credentials.base_url,
        hosts=credentials.media_hosts,
        headers=credentials.bearer(),
        limits=limits,
    )
    if not _is_whole(data, fields.text(told.get("sha256"))):
        raise MediaLater("the file is not the one that Meta describes")
    return Media(data=data, claimed_type=fields.label(told.get("mime_type")))


def _object(raw: bytes) -> dict[str, object]:
    try:
        return fields.obj(loads(raw))
    except NotJson:
        return {}


def _is_whole(data: bytes, told: str | None) -> bool:
    """Meta writes the SHA-256 in hex here and in base64 in webhooks."""
    if not told:
        return True
    digest = hashlib.sha256(data)
    return told.lower() == digest.hexdigest() or told == base64.b64encode(digest.digest()).decode()


def _refuse(status: int, told: dict[str, object]) -> NoReturn:
    error = fields.obj(told.get("error"))
    code = fields.code(error.get("code"))
    if code is None:
        raise MediaLater("Meta does not say where the file is") if status == 200 else refuse(status)
    reason = f"Meta's error {code}: {fields.label(error.get('message'))}"
    if code in LATER_CODES or error.get("is_transient") is True or status >= 500:
        raise MediaLater(reason)
    if code in CHANNEL_CODES:
        raise ChannelRefused(reason, code=code)
    raise MediaRefused(reason)

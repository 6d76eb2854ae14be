"""Fetches a buyer's file from WAHA. Called through the adapter, by `worker.media`.

Source: WAHA's documentation, "Receive messages": `media.url` lies at the server itself and needs
the key. Its host is what the server takes itself for (`WAHA_BASE_URL`), often localhost: the
channel's own address is asked instead, and no other.
"""

from __future__ import annotations

import aiohttp

from gateway.media import Media, MediaLimits, MediaRef, download, rebased
from gateway.waha.credentials import WahaCredentials
from schema.channels import Channel


async def fetch_media(
    session: aiohttp.ClientSession, channel: Channel, media: MediaRef, *, limits: MediaLimits
) -> Media:
    """Raises MediaLater, MediaRefused, ChannelRefused."""
    credentials = WahaCredentials.of(channel.credentials)
    data = await download(
        session,
        rebased(media.address, credentials.base_url),
        home=credentials.base_url,
        hosts=(),
        headers={"X-Api-Key": credentials.api_key.get_secret_value()},
        limits=limits,
    )
    return Media(data=data)

"""WAHA as `gateway.adapters` offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import aiohttp

from gateway.credentials import matches_any
from gateway.findings import Finding
from gateway.media import Media, MediaLimits, MediaRef
from gateway.traits import Traits
from gateway.waha import auth
from gateway.waha.credentials import KIND, WahaCredentials
from gateway.waha.diagnose import diagnose
from gateway.waha.media import fetch_media
from gateway.waha.parse import parse
from gateway.waha.send import mark_read, send
from schema.channels import Channel
from schema.events import Event
from schema.replies import Reply, Sent


class Waha:
    """Each session signs with a key of its own; see `gateway.adapters.Adapter`."""

    kind = KIND
    traits = Traits(window=None, paced=True, tells=True)
    secret_keys: Mapping[str, bool] = MappingProxyType({"hmac_key": True})
    max_body_bytes = 8 * 1024 * 1024
    """Files come by address, but the engine's own message may hold previews of them."""

    def parse(self, body: object) -> list[Event]:
        """See `gateway.waha.parse`."""
        return parse(body)

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """Raises BadCredentials."""
        WahaCredentials.of(credentials)

    def verify(
        self,
        headers: Mapping[str, str],
        raw: bytes,
        credentials: Mapping[str, str],
        *,
        now: float,  # noqa: ARG002 a signature has no age
    ) -> None:
        """See `gateway.waha.auth.verify`."""
        auth.verify(headers, raw, WahaCredentials.of(credentials))

    def shares_secret(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Whether both are signed for with one key. Raises BadCredentials."""
        theirs = WahaCredentials.of(other).webhook_keys()
        return any(matches_any(key, theirs) for key in WahaCredentials.of(one).webhook_keys())

    def challenge(
        self,
        query: Mapping[str, str],  # noqa: ARG002
        credentials: Mapping[str, str],  # noqa: ARG002
    ) -> str | None:
        """WAHA has no handshake."""
        return None

    async def send(
        self, session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
    ) -> Sent:
        """See `gateway.waha.send`."""
        return await send(session, channel, reply, timeout_s=timeout_s)

    async def mark_read(
        self,
        session: aiohttp.ClientSession,
        channel: Channel,
        *,
        address: str,
        message_ids: Sequence[str],
        typing: bool,
        timeout_s: float,
    ) -> None:
        """See `gateway.waha.send.mark_read`."""
        await mark_read(
            session,
            channel,
            address=address,
            message_ids=message_ids,
            typing=typing,
            timeout_s=timeout_s,
        )

    async def diagnose(
        self, session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
    ) -> list[Finding]:
        """See `gateway.waha.diagnose`."""
        return await diagnose(session, channel, timeout_s=timeout_s)

    async def fetch_media(
        self,
        session: aiohttp.ClientSession,
        channel: Channel,
        media: MediaRef,
        *,
        limits: MediaLimits,
    ) -> Media:
        """See `gateway.waha.media`."""
        return await fetch_media(session, channel, media, limits=limits)

    def inline_media(self, body: object) -> Mapping[str, str]:  # noqa: ARG002
        """WAHA's webhooks carry no files."""
        return {}

"""The Cloud API as `gateway.adapters` offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import aiohttp

from gateway.cloud_api import auth
from gateway.cloud_api.credentials import KIND, CloudCredentials
from gateway.cloud_api.diagnose import diagnose
from gateway.cloud_api.media import fetch_media
from gateway.cloud_api.parse import parse
from gateway.cloud_api.send import mark_read, send
from gateway.credentials import matches_any
from gateway.findings import Finding
from gateway.media import Media, MediaLimits, MediaRef
from gateway.traits import Traits
from schema.channels import Channel
from schema.events import Event
from schema.replies import Reply, Sent


class CloudApi:
    """One Meta app signs for all its numbers; see `gateway.adapters.Adapter`."""

    kind = KIND
    secret_keys: Mapping[str, bool] = MappingProxyType({"app_secret": False})
    max_body_bytes = 3 * 1024 * 1024
    """Meta's own limit for a webhook."""
    traits = Traits(window=timedelta(hours=24), paced=False, tells=True)

    def parse(self, body: object) -> list[Event]:
        """See `gateway.cloud_api.parse`."""
        return parse(body)

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """Raises BadCredentials."""
        CloudCredentials.of(credentials)

    def verify(
        self,
        headers: Mapping[str, str],
        raw: bytes,
        credentials: Mapping[str, str],
        *,
        now: float,  # noqa: ARG002 a signature has no age
    ) -> None:
        """See `gateway.cloud_api.auth.verify`."""
        auth.verify(headers, raw, CloudCredentials.of(credentials))

    def shares_secret(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Whether both are signed for by one app. Raises BadCredentials."""
        ours, theirs = CloudCredentials.of(one).secrets(), CloudCredentials.of(other).secrets()
        return any(matches_any(secret, theirs) for secret in ours)

    def challenge(self, query: Mapping[str, str], credentials: Mapping[str, str]) -> str | None:
        """See `gateway.cloud_api.auth.challenge`."""
        return auth.challenge(query, CloudCredentials.of(credentials))

    async def send(
        self, session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
    ) -> Sent:
        """See `gateway.cloud_api.send`."""
        return await send(session, channel, reply, timeout_s=timeout_s)

    async def diagnose(
        self, session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
    ) -> list[Finding]:
        """See `gateway.cloud_api.diagnose`."""
        return await diagnose(session, channel, timeout_s=timeout_s)

    async def mark_read(
        self,
        session: aiohttp.ClientSession,
        channel: Channel,
        *,
        address: str,  # noqa: ARG002 Meta knows the chat by the message
        message_ids: Sequence[str],
        typing: bool,
        timeout_s: float,
    ) -> None:
        """See `gateway.cloud_api.send`."""
        await mark_read(
            session, channel, message_ids=message_ids, typing=typing, timeout_s=timeout_s
        )

    async def fetch_media(
        self,
        session: aiohttp.ClientSession,
        channel: Channel,
        media: MediaRef,
        *,
        limits: MediaLimits,
    ) -> Media:
        """See `gateway.cloud_api.media`."""
        return await fetch_media(session, channel, media, limits=limits)

    def inline_media(self, body: object) -> Mapping[str, str]:  # noqa: ARG002
        """Meta's webhooks carry no files."""
        return {}

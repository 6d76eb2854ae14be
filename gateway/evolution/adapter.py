"""Evolution as `gateway.adapters` offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import aiohttp

from gateway.credentials import matches_any
from gateway.evolution import auth
from gateway.evolution.credentials import KIND, EvolutionCredentials
from gateway.evolution.diagnose import diagnose
from gateway.evolution.media import fetch_media, inline_media
from gateway.evolution.parse import parse
from gateway.evolution.send import mark_read, send
from gateway.findings import Finding
from gateway.media import Media, MediaLimits, MediaRef
from gateway.traits import Traits
from schema.channels import Channel
from schema.events import Event
from schema.replies import Reply, Sent


class Evolution:
    """Each instance has secrets of its own; see `gateway.adapters.Adapter`."""

    kind = KIND
    secret_keys: Mapping[str, bool] = MappingProxyType({"webhook_secret": True, "jwt_key": True})
    max_body_bytes = 32 * 1024 * 1024
    """With the webhook option base64 a body carries the whole file, by a third larger."""
    traits = Traits(window=None, paced=True, tells=True)

    def parse(self, body: object) -> list[Event]:
        """See `gateway.evolution.parse`."""
        return parse(body)

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """Raises BadCredentials."""
        EvolutionCredentials.of(credentials)

    def verify(
        self,
        headers: Mapping[str, str],
        raw: bytes,  # noqa: ARG002 Evolution signs no bodies
        credentials: Mapping[str, str],
        *,
        now: float,
    ) -> None:
        """See `gateway.evolution.auth.verify`."""
        auth.verify(headers, EvolutionCredentials.of(credentials), now=now)

    def shares_secret(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Whether a header or a token is good for both. Raises BadCredentials."""
        ours, theirs = EvolutionCredentials.of(one), EvolutionCredentials.of(other)
        return any(
            matches_any(secret, known)
            for given, known in (
                (ours.header_secrets(), theirs.header_secrets()),
                (ours.token_keys(), theirs.token_keys()),
            )
            for secret in given
        )

    def challenge(
        self,
        query: Mapping[str, str],  # noqa: ARG002
        credentials: Mapping[str, str],  # noqa: ARG002
    ) -> str | None:
        """Evolution has no handshake."""
        return None

    async def send(
        self, session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
    ) -> Sent:
        """See `gateway.evolution.send`."""
        return await send(session, channel, reply, timeout_s=timeout_s)

    async def diagnose(
        self, session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
    ) -> list[Finding]:
        """See `gateway.evolution.diagnose`."""
        return await diagnose(session, channel, timeout_s=timeout_s)

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
        """See `gateway.evolution.send`."""
        await mark_read(
            session,
            channel,
            address=address,
            message_ids=message_ids,
            typing=typing,
            timeout_s=timeout_s,
        )

    async def fetch_media(
        self,
        session: aiohttp.ClientSession,
        channel: Channel,
        media: MediaRef,
        *,
        limits: MediaLimits,
    ) -> Media:
        """See `gateway.evolution.media`."""
        return await fetch_media(session, channel, media, limits=limits)

    def inline_media(self, body: object) -> Mapping[str, str]:
        """See `gateway.evolution.media`."""
        return inline_media(body)

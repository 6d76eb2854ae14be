"""What every gateway offers, and which there are. Called by `worker`, which knows no gateway.

A new gateway is one more folder and one more line in ADAPTERS. What needs a connection of ours, as
the Redis gateway does, is made by `outlets`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import aiohttp
from redis.asyncio import Redis

from gateway.cloud_api.adapter import CloudApi
from gateway.evolution.adapter import Evolution
from gateway.findings import Finding
from gateway.media import Media, MediaLimits, MediaRef
from gateway.redis_stream.adapter import RedisStream
from gateway.traits import Traits
from gateway.waha.adapter import Waha
from schema.channels import Channel
from schema.events import Event
from schema.replies import Reply, Sent


class Outlet(Protocol):
    """The way out of one gateway. `credentials` are `Channel.credentials`; bad ones raise
    BadCredentials."""

    @property
    def kind(self) -> str:
        """The value of `canais.tipo`."""
        ...

    @property
    def traits(self) -> Traits:
        """What sending through it is like."""
        ...

    @property
    def secret_keys(self) -> Mapping[str, bool]:
        """Credentials that may hold two secrets with a comma while one is rotated; True for those
        that we choose, False for those that the gateway makes."""
        ...

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """Raises BadCredentials; for whoever enters them."""
        ...

    async def send(
        self, session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
    ) -> Sent:
        """Sends one reply; raises SendLater, AwaitReport, SendUnknown, SendRefused or
        ChannelRefused."""
        ...

    async def diagnose(
        self, session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
    ) -> list[Finding]:
        """Looks whether the channel can send and receive; changes nothing. Raises nothing: what
        does not answer is a finding, too. `timeout_s` is for each question."""
        ...


@runtime_checkable
class Recalling(Protocol):
    """An outlet whose replies wait somewhere until the gateway takes them."""

    async def recall(self, channel: Channel, our_ref: str) -> bool:
        """Takes back a reply that was handed over. False: it may be on its way to the buyer."""
        ...


class Adapter(Outlet, Protocol):
    """A gateway with a webhook."""

    @property
    def max_body_bytes(self) -> int:
        """The largest webhook body that is read, unless GatewaySettings says otherwise."""
        ...

    def parse(self, body: object) -> list[Event]:
        """The events of a webhook body: any JSON value in, at least one event out, no exception."""
        ...

    def verify(
        self, headers: Mapping[str, str], raw: bytes, credentials: Mapping[str, str], *, now: float
    ) -> None:
        """Returns when the request is the channel's; raises Unauthenticated or Forbidden.

        `headers` has lower-case names, `raw` is the body as received, `now` in unix seconds.
        """
        ...

    def shares_secret(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Whether whoever can push for one channel can push for the other; both credentials."""
        ...

    def challenge(self, query: Mapping[str, str], credentials: Mapping[str, str]) -> str | None:
        """The answer to a GET as text/plain; None: no such thing here (405). Raises Forbidden."""
        ...

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
        """Shows a buyer that his messages (oldest first, at least one) were read, and, with
        `typing`, that an answer is being written. `address` is `Event.reply_to`. Raises as `send`.
        """
        ...

    async def fetch_media(
        self,
        session: aiohttp.ClientSession,
        channel: Channel,
        media: MediaRef,
        *,
        limits: MediaLimits,
    ) -> Media:
        """The file of a buyer's message; raises MediaLater, MediaRefused or ChannelRefused."""
        ...

    def inline_media(self, body: object) -> Mapping[str, str]:
        """Files that a webhook body carries itself: base64 by message id. Any JSON value in."""
        ...


_ALL: tuple[Adapter, ...] = (CloudApi(), Evolution(), Waha())

ADAPTERS: Mapping[str, Adapter] = MappingProxyType({adapter.kind: adapter for adapter in _ALL})
"""Those with a webhook, by `canais.tipo`."""

WITHOUT_WEBHOOK = frozenset({RedisStream.kind})
"""Those that push their events in another way."""


def outlets(redis: Redis) -> Mapping[str, Outlet]:
    """All of them, by `canais.tipo`; `redis` is where gateways without HTTP read."""
    without_http: tuple[Outlet, ...] = (RedisStream(redis),)
    return MappingProxyType({**ADAPTERS, **{outlet.kind: outlet for outlet in without_http}})

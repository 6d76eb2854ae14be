"""What every gateway offers, and which there are. Called by `worker`, which knows no gateway.

A new gateway is one more folder and one more line in ADAPTERS.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import aiohttp

from gateway.cloud_api.adapter import CloudApi
from gateway.evolution.adapter import Evolution
from schema.channels import Channel
from schema.events import Event
from schema.replies import Reply, Sent


class Adapter(Protocol):
    """One gateway. `credentials` are `Channel.credentials`; bad ones raise BadCredentials."""

    @property
    def kind(self) -> str:
        """The value of `canais.tipo`."""
        ...

    @property
    def max_body_bytes(self) -> int:
        """The largest webhook body that is read, unless GatewaySettings says otherwise."""
        ...

    def parse(self, body: object) -> list[Event]:
        """The events of a webhook body: any JSON value in, at least one event out, no exception."""
        ...

    def check_credentials(self, credentials: Mapping[str, str]) -> None:
        """Raises BadCredentials; for whoever enters them."""
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

    async def send(
        self, session: aiohttp.ClientSession, channel: Channel, reply: Reply, *, timeout_s: float
    ) -> Sent:
        """Sends one reply; raises SendLater, SendUnknown, SendRefused or ChannelRefused."""
        ...


_ALL: tuple[Adapter, ...] = (CloudApi(), Evolution())

ADAPTERS: Mapping[str, Adapter] = MappingProxyType({adapter.kind: adapter for adapter in _ALL})
"""By `canais.tipo`."""

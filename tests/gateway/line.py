"""One line of a gateway: a stand-in's phone at one end, our adapter at the other."""

from __future__ import annotations

import time

import aiohttp

from gateway.adapters import ADAPTERS, Adapter
from gateway.json import loads
from gateway.standin.base import Standin
from gateway.standin.every import STANDINS, stand_in
from schema.channels import Channel
from schema.events import Event
from schema.replies import Reply, Sent

from .conftest import Webhook

BUYER = "553199990001"


def made(kind: str, webhook_url: str | None = None) -> Standin:
    """A stand-in with a secret of each sort, not yet started; repeats come without a pause."""
    names = STANDINS[kind].needs + STANDINS[kind].may_have
    secrets = {name: f"the-{name}" for name in names}
    return stand_in(kind, secrets, webhook_url=webhook_url, pace=0.0)


def channel_of(phone: Standin, *, identifier: str | None = None, **changed: str) -> Channel:
    """The channel that talks to a stand-in, with some credentials changed."""
    return Channel(
        id=1,
        empresa_id=7,
        gateway=phone.kind,
        identifier=identifier or phone.channel,
        webhook_token="w",
        credentials=phone.credentials() | changed,
    )


class Line:
    """A stand-in, our webhook and our adapter: both ends of one channel."""

    def __init__(self, phone: Standin, hook: Webhook, http: aiohttp.ClientSession) -> None:
        self.adapter: Adapter = ADAPTERS[phone.kind]
        self.phone, self.hook, self._http = phone, hook, http

    async def send(
        self, reply: Reply, channel: Channel | None = None, *, timeout_s: float = 5
    ) -> Sent:
        """Through the adapter to the stand-in."""
        channel = channel or channel_of(self.phone)
        return await self.adapter.send(self._http, channel, reply, timeout_s=timeout_s)

    def events(self) -> list[Event]:
        """All that was pushed to us and verified."""
        found = []
        for headers, raw in self.hook.received:
            credentials = channel_of(self.phone).credentials
            self.adapter.verify(headers, raw, credentials, now=time.time())
            found += self.adapter.parse(loads(raw))
        return found

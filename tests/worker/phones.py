"""Stand-ins of every gateway, for promises that hold whichever a dealer uses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.adapters import ADAPTERS
from gateway.cloud_api.standin import CloudStandin
from gateway.evolution.standin import EvolutionStandin
from gateway.standin.base import Standin
from gateway.waha.standin import WahaStandin
from schema.events import Event, EventKind
from tenancy.channels import add_channel
from tests.worker.shop import Shop

UNPACED: Mapping[str, object] = {
    "gap_s": None,
    "typing_per_s": None,
    "new_contacts_per_min": None,
}
"""Limits of an unofficial gateway's channel that is in no need to look like a person."""

PHONES: Mapping[str, Callable[[], Standin]] = {
    "cloud_api": lambda: CloudStandin(access_token="t", app_secret="s", channel="a phone"),
    "evolution": lambda: EvolutionStandin(apikey="k", webhook_secret="w", channel="a phone"),
    "waha": lambda: WahaStandin(api_key="k", hmac_key="h", channel="a phone"),
}
"""One for each of ADAPTERS."""


@dataclass(slots=True)
class Line:
    """A further channel of a shop, with the phone behind it."""

    shop: Shop
    kind: str
    phone: Standin
    seen: int = 0

    def events(self) -> list[Event]:
        """What the gateway has pushed since the last time, as its adapter reads it."""
        pushed, self.seen = self.phone.pushes[self.seen :], len(self.phone.pushes)
        return [event for push in pushed for event in ADAPTERS[self.kind].parse(push.body)]

    async def take(self, *events: Event) -> None:
        """Into the database, as webhook and worker do."""
        await self.shop.push(*(event for event in events if event.is_of_use))
        await self.shop.drain()

    async def buyer_writes(self, buyer: str, text: str) -> None:
        """A buyer's words, stored and answered; the answer is not yet sent."""
        await self.phone.buyer_writes(buyer, text)
        await self.take(*self.events())

    async def seller_writes(self, buyer: str, text: str) -> Event:
        """A seller's words as an event that nobody has handled yet; other events are let go."""
        await self.phone.seller_writes(buyer, text)
        return [event for event in self.events() if event.kind is EventKind.HUMAN_ECHO][-1]


@asynccontextmanager
async def open_line(shop: Shop, kind: str) -> AsyncIterator[Line]:
    """A channel of this gateway for the length of the block."""
    async with PHONES[kind]() as phone:
        async with shop.tenancy.central.transaction() as conn:
            await add_channel(
                conn,
                shop.tenancy.keyring,
                empresa_id=shop.empresa_id,
                gateway=kind,
                identifier=phone.channel,
                credentials=phone.credentials(),
                limits=UNPACED,
            )
        yield Line(shop, kind, phone)

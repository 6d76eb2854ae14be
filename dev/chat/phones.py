"""A dealer's shop with its gateway, and a buyer who writes to it. Used by the chat and the demo.

The gateway is a stand-in with phones behind it; from its webhook on, all is the product.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from dev.dealers import DemoDealer
from gateway.phone import canonical_phone
from gateway.standin import every
from gateway.standin.base import Standin
from gateway.standin.every import STANDINS
from gateway.standin.values import Outgoing

GATEWAYS = tuple(STANDINS)

_LOOK_AGAIN_S = 60.0
_SECRET_BYTES = 18


@dataclass(frozen=True, slots=True)
class Shop:
    """A dealer whose number can be written to."""

    dealer: DemoDealer
    standin: Standin
    canal_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message that the buyer sent, and how its webhook was answered."""

    message_id: str
    text: str
    at: float
    """Unix seconds, before the gateway pushed it."""
    webhook_ms: float
    """Until the webhook was answered; of both deliveries, when there were two."""


@dataclass(slots=True)
class Buyer:
    """A phone that writes to one shop and gets Lucas's bubbles."""

    shop: Shop
    phone: str
    name: str = "Marina"
    written: list[Written] = field(default_factory=list)

    async def writes(self, text: str, *, duplicate: bool = False) -> Written:
        """Returns once the webhook has answered; `duplicate`: the gateway delivers it twice."""
        at, started = time.time(), time.perf_counter()
        message_id = await self.shop.standin.buyer_writes(
            self.phone, text, name=self.name, duplicate=duplicate
        )
        ms = (time.perf_counter() - started) * 1000
        sent = Written(message_id=message_id, text=text, at=at, webhook_ms=ms)
        self.written.append(sent)
        return sent

    def deliveries(self, message_id: str) -> list[int]:
        """How the webhook answered each delivery of a message; 0: not at all."""
        pushes = self.shop.standin.pushes
        return [push.status for push in pushes if message_id in repr(push.body)]

    def bubbles(self) -> list[Outgoing]:
        """All that has reached this phone, in order."""
        return self._ours(self.shop.standin.outbox)

    def after_s(self, bubble: Outgoing) -> float | None:
        """Seconds from the buyer's last message before a bubble; None when he had not written."""
        before = [sent.at for sent in self.written if sent.at <= bubble.at]
        return bubble.at - before[-1] if before else None

    async def more_than(self, seen: int) -> list[Outgoing]:
        """The bubbles once there are more than `seen`; waits for as long as it takes."""
        while True:
            try:
                outbox = await self.shop.standin.wait_for(
                    lambda all_: len(self._ours(all_)) > seen, _LOOK_AGAIN_S
                )
            except TimeoutError:
                continue
            return self._ours(outbox)

    def _ours(self, outbox: Sequence[Outgoing]) -> list[Outgoing]:
        return [sent for sent in outbox if canonical_phone(sent.to) == self.phone]


def new_phone() -> str:
    """A mobile number that no earlier run has used, so that the talk begins anew."""
    return f"55119{secrets.randbelow(10**8):08}"


def stand_in(dealer: DemoDealer) -> Standin:
    """The dealer's gateway, not yet started. Its secrets are new each time."""
    kind = STANDINS[dealer.gateway]
    names = {*kind.needs, *kind.proofs}
    return every.stand_in(
        dealer.gateway, {name: _secret() for name in names}, channel=dealer.channel
    )


def _secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)

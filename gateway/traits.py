"""What sending through a gateway is like. Each adapter states it; `worker.deliver` goes by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Differences between gateways that the delivery must know."""

    window: timedelta | None
    """How long after the buyer's last message free text may be sent; None: always."""
    paced: bool
    """An unofficial client: it is to send as a person would, or its number is banned."""
    tells: bool
    """A message whose answer got lost is reported afterwards (by a status with our reference, or by
    an echo): when no report comes, it did not go out."""
    reports: bool = False
    """A reply is handed over and reported on later (AwaitReport): sending it again only looks after
    it, and is no second send."""

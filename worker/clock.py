"""Times as the rooms want them. Redis's clock is the one that all workers share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

DEALERS_ZONE: Final = ZoneInfo("America/Sao_Paulo")


def from_ms(ms: int) -> datetime:
    """Milliseconds since 1970 as a time with a zone (UTC)."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_ms(at: datetime) -> int:
    """The reverse of `from_ms`; `at` has a zone."""
    return round(at.timestamp() * 1000)


def stored(at: datetime | None) -> datetime | None:
    """A time as a database gives it back (naive, UTC), with its zone."""
    return None if at is None else at.replace(tzinfo=UTC)

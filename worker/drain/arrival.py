"""An inbox entry on its way into the database, and the rules by which it is taken in.

Made by `worker.drain.sort` and `worker.drain.transaction`, read by the rest of the drain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.settings import LucasSettings
from schema.events import Event
from tenancy.registry import TenantConfig
from worker.clock import from_ms
from worker.drain.opening import after_open_hours

_OLDEST = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
"""Unix seconds: the year of WhatsApp; older is a broken clock."""
_LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An inbox entry whose channel is known to belong to this empresa.

    What is asked of it again and again is worked out once.
    """

    event: Event
    canal_id: int
    arrived_ms: int
    origin: str

    @cached_property
    def external_id(self) -> str:
        """The gateway's id; where it gave none, the entry's: a replay is no news either."""
        return self.event.message_id or f"helix:{self.origin}"

    @cached_property
    def key(self) -> tuple[int, str]:
        """What makes a delivery the same message as another."""
        return (self.canal_id, self.external_id)

    @cached_property
    def arrived(self) -> datetime:
        """When the inbox took it."""
        return from_ms(self.arrived_ms)

    @cached_property
    def age(self) -> timedelta:
        """How old it was when it came."""
        return self.arrived - self.written_at(self.arrived)

    def written_at(self, now: datetime) -> datetime:
        """When it was written, by its gateway; a time that cannot be is replaced by the arrival."""
        written = self._written
        return self.arrived if written is None else min(written, now.replace(microsecond=0))

    @cached_property
    def _written(self) -> datetime | None:
        """By its gateway's clock; None for a time that cannot be."""
        told = self.event.timestamp
        if told is None or told <= _OLDEST:
            return None
        return datetime.fromtimestamp(min(told, _LATEST), UTC)


@dataclass(frozen=True, kw_only=True)
class IntakeRules:
    """What the dealer and the operator decide about new messages."""

    dealer: TenantConfig
    lucas: LucasSettings
    pause_after_human: timedelta
    zone: ZoneInfo

    @cached_property
    def longest_quiet(self) -> timedelta:
        """After this long without a further message any burst is due."""
        lucas = self.lucas
        return timedelta(
            seconds=max(lucas.quiet_complete_s, lucas.quiet_fragment_s, lucas.quiet_greeting_s)
        )

    def is_backlog(self, arrival: Arrival) -> bool:
        """It waited somewhere; more of the same is likely to come."""
        return arrival.age > self._backlog_after

    def is_too_old(self, arrival: Arrival) -> bool:
        """Nobody wants an answer of a machine to this any more: a person must see to it."""
        return arrival.age > self._too_old_after

    @cached_property
    def _backlog_after(self) -> timedelta:
        return timedelta(minutes=self.lucas.backlog_after_min)

    @cached_property
    def _too_old_after(self) -> timedelta:
        return timedelta(hours=self.lucas.too_old_h)

    def paused_until(self, human_sign: datetime) -> datetime:
        """When Lucas is back after this sign of a person."""
        return after_open_hours(
            self.dealer.horario, human_sign.astimezone(self.zone), self.pause_after_human
        ).astimezone(UTC)

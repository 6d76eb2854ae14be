"""An inbox entry on its way into the database, and the rules by which it is taken in.

Made by `worker.drain.sort` and `worker.drain.transaction`, read by the rest of the drain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.settings import LucasSettings
from schema.events import Event
from tenancy.registry import TenantConfig
from worker.clock import from_ms
from worker.drain.opening import after_open_hours

_OLDEST = datetime(2009, 1, 1, tzinfo=UTC)  # the year of WhatsApp; older is a broken clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An inbox entry whose channel is known to belong to this empresa."""

    event: Event
    canal_id: int
    arrived_ms: int
    entry_id: str
    """Where it stands on the inbox."""
    origin: str
    """The id that an inbox gave it first."""

    @property
    def external_id(self) -> str:
        """The gateway's id; where it gave none, the entry's: a replay is no news either."""
        return self.event.message_id or f"helix:{self.origin}"

    @property
    def key(self) -> tuple[int, str]:
        """What makes a delivery the same message as another."""
        return (self.canal_id, self.external_id)

    @property
    def arrived(self) -> datetime:
        """When the inbox took it."""
        return from_ms(self.arrived_ms)

    @property
    def age(self) -> timedelta:
        """How old it was when it came."""
        return self.arrived - self.written_at(self.arrived)

    def written_at(self, now: datetime) -> datetime:
        """When it was written, by its gateway; a time that cannot be is replaced by the arrival."""
        if self.event.timestamp is not None and self.event.timestamp > _OLDEST.timestamp():
            latest = int(now.timestamp())
            return datetime.fromtimestamp(min(self.event.timestamp, latest), UTC)
        return self.arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """What the dealer and the operator decide about new messages."""

    dealer: TenantConfig
    lucas: LucasSettings
    pause_after_human: timedelta
    zone: ZoneInfo

    @property
    def longest_quiet(self) -> timedelta:
        """After this long without a further message any burst is due."""
        lucas = self.lucas
        return timedelta(
            seconds=max(lucas.quiet_complete_s, lucas.quiet_fragment_s, lucas.quiet_greeting_s)
        )

    def is_backlog(self, arrival: Arrival) -> bool:
        """It waited somewhere; more of the same is likely to come."""
        return arrival.age > timedelta(minutes=self.lucas.backlog_after_min)

    def is_too_old(self, arrival: Arrival) -> bool:
        """Nobody wants an answer of a machine to this any more: a person must see to it."""
        return arrival.age > timedelta(hours=self.lucas.too_old_h)

    def paused_until(self, human_sign: datetime) -> datetime:
        """When Lucas is back after this sign of a person."""
        return after_open_hours(
            self.dealer.horario, human_sign.astimezone(self.zone), self.pause_after_human
        ).astimezone(UTC)

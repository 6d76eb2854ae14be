"""An inbox entry on its way into the database, and the rules by which it is taken in.

Made by `worker.drain.sort` and `worker.drain.transaction`, read by the rest of the drain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from bot.lucas import hours_of
from bot.profile import Profile
from bot.settings import LucasSettings
from bot.values import Dealer
from schema.events import Event
from tenancy.registry import TenantConfig
from worker.clock import from_ms

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
    entry_id: str
    """Where it stands on the inbox."""
    origin: str
    """The id that an inbox gave it first."""

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

    def age(self, now: datetime) -> timedelta:
        """How long ago it was written, wherever it has waited since."""
        return now - self.written_at(now)

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
    profile: Profile = field(default_factory=Profile)
    """The dealer's own settings: of his holidays. Read only where a person's sign is at hand."""

    @cached_property
    def longest_quiet(self) -> timedelta:
        """After this long without a further message any burst is due."""
        lucas = self.lucas
        return timedelta(
            seconds=max(lucas.quiet_complete_s, lucas.quiet_fragment_s, lucas.quiet_greeting_s)
        )

    def is_backlog(self, arrival: Arrival, *, now: datetime) -> bool:
        """It waited somewhere; more of the same is likely to come."""
        return arrival.age(now) > self._backlog_after

    def is_too_old(self, arrival: Arrival, *, now: datetime) -> bool:
        """Nobody wants an answer of a machine to this any more: a person must see to it.

        Also after a long pause, or a database that was away: the buyer does not know of either.
        """
        return arrival.age(now) > self._too_old_after

    @cached_property
    def _backlog_after(self) -> timedelta:
        return timedelta(minutes=self.lucas.backlog_after_min)

    @cached_property
    def _too_old_after(self) -> timedelta:
        return timedelta(hours=self.lucas.too_old_h)

    def paused_until(self, human_sign: datetime) -> datetime:
        """When Lucas is back after this sign of a person: hours of opening time.

        Lunch, nights and holidays do not count. Words about opening hours that cannot be understood
        leave the hours of the clock.
        """
        dealer = Dealer(
            nome=self.dealer.nome,
            endereco=self.dealer.endereco,
            horario=self.dealer.horario,
            profile=self.profile,
        )
        opening, since = hours_of(dealer), human_sign.astimezone(self.zone)
        if opening is None:
            return human_sign + self.pause_after_human
        return opening.add_open_time(since, self.pause_after_human).astimezone(UTC)

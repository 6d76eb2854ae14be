"""When a dealer's backup is due, and which of his backups stay."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancy.life.backup import Manifest
from tenancy.life.expiry import superfluous
from tenancy.life.schedule import Dealer
from tenancy.life.settings import BackupSettings

ZONE = ZoneInfo("America/Sao_Paulo")
MIDDAY = datetime(2026, 11, 24, 12, tzinfo=ZONE)


def dealer(empresa_id: int = 7, hour: int = 2, **changes: datetime | None) -> Dealer:
    """Who was never backed up."""
    times = {"newest": None, "failed": None, **changes}
    return Dealer(empresa_id=empresa_id, host="db1", port=3306, hour=hour, **times)


def manifest(made_at: datetime) -> Manifest:
    """Of a backup of that moment."""
    return Manifest(
        empresa_id=7, name=f"{made_at:%Y%m%dT%H%M}", made_at=made_at, database="d",
        server_version="10", schema_version=1, rows={}, plain_bytes=1, plain_sha256="",
        sealed_bytes=1, sealed_sha256="",
    )  # fmt: skip


def daily(days: int, *, until: datetime) -> list[Manifest]:
    """One each night."""
    return [manifest(until - timedelta(days=number)) for number in range(days)]


@given(
    st.integers(1, 10**9),
    st.integers(0, 23),
    st.integers(1, 720),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_a_dealers_moment_is_within_the_night_and_not_to_come(
    empresa_id: int, hour: int, spread: int, naive: datetime
) -> None:
    """Less than a day ago, and at the same minute each night."""
    now = naive.replace(tzinfo=UTC)
    one = dealer(empresa_id, hour)

    slot = one.slot(now, ZONE, spread)

    assert timedelta(0) <= now - slot < timedelta(days=1)
    begins = slot.astimezone(ZONE).replace(minute=0)
    assert (slot.astimezone(ZONE) - timedelta(minutes=spread)).hour <= 23
    assert (begins.hour - hour) % 24 <= spread // 60
    assert one.slot(now + timedelta(days=1), ZONE, spread) == slot + timedelta(days=1)


def test_a_fleet_is_spread_over_the_night() -> None:
    """A thousand dealers in four hours: no minute has more than a few."""
    minutes = Counter(dealer(number).slot(MIDDAY, ZONE, 240) for number in range(1, 1001))

    assert max(minutes.values()) < 16
    assert len(minutes) > 200


@pytest.mark.parametrize(
    ("after_slot", "newest", "failed", "expected"),
    [
        (1, None, None, True),
        (1, -1440, None, True),
        (60, 10, None, False),  # made this night
        (359, None, None, True),
        (361, None, None, False),  # that night is over
        (20, -1440, 1, False),  # it has just failed
        (40, -1440, 1, True),
    ],
)
def test_who_is_due(
    after_slot: int, newest: int | None, failed: int | None, expected: bool
) -> None:
    """Minutes from the dealer's moment: now, his newest backup, his newest failure."""
    slot = dealer().slot(MIDDAY, ZONE, 240)

    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else slot + timedelta(minutes=minutes)

    one = dealer(newest=at(newest), failed=at(failed))
    assert one.is_due(slot + timedelta(minutes=after_slot), ZONE, 240) is expected


def test_seven_days_and_four_weeks_stay() -> None:
    """Of sixty nights: the last seven, and the newest of each of the last four weeks."""
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
    known = daily(60, until=now - timedelta(hours=6))

    gone = superfluous(known, BackupSettings(), now, ZONE)

    kept = [one.made_at.day for one in known if one not in gone]
    assert kept == [25, 24, 23, 22, 21, 20, 19, 15, 8]


def test_who_has_no_new_backups_keeps_the_old_ones() -> None:
    """A year of silence: what is there is the newest there is."""
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    known = daily(7, until=now - timedelta(days=365))

    assert superfluous(known, BackupSettings(), now, ZONE) == []


def test_what_somebody_made_by_hand_yesterday_stays() -> None:
    """Three of one day: the two that are no longer its newest go two days later."""
    made = [manifest(datetime(2026, 11, 24, hour, tzinfo=UTC)) for hour in (9, 12, 15)]

    assert superfluous(made, BackupSettings(), datetime(2026, 11, 25, 12, tzinfo=UTC), ZONE) == []
    later = superfluous(made, BackupSettings(), datetime(2026, 11, 27, 12, tzinfo=UTC), ZONE)
    assert [one.made_at.hour for one in later] == [12, 9]

"""When an alarm is told: opened once, repeated after a time, closed."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from worker.alarm.reconcile import Rules, reconcile
from worker.alarm.values import Alarm, Event, Finding, Kind

RULES = Rules(hold_ms=30_000, repeat_ms=3_600_000)
BUYER = Finding(kind=Kind.BUYER_WAITS, subject="7", empresa_id=7, text="waits")
WORKERS = Finding(kind=Kind.WORKERS, subject="", text="no worker runs")


class History:
    """Rounds one after the other, as the book holds them."""

    def __init__(self) -> None:
        self.known: dict[str, Alarm] = {}

    def round(
        self, at_s: float, *found: Finding, looked_at: Iterable[Kind] = tuple(Kind)
    ) -> list[tuple[Event, Kind]]:
        """What is told in it."""
        changes = reconcile(
            self.known, found, looked_at=set(looked_at), rules=RULES, now_ms=int(at_s * 1000)
        )
        self.known |= changes.kept
        for key in changes.gone:
            del self.known[key]
        return [(one.event, one.kind) for one in changes.notices]


def test_a_waiting_buyer_is_told_once_again_after_a_time_and_when_it_is_over() -> None:
    """Three rounds a minute make no three alarms a minute."""
    history = History()

    assert history.round(0, BUYER) == [(Event.OPENED, Kind.BUYER_WAITS)]
    assert history.round(15, BUYER) == []
    assert history.round(3599, BUYER) == []
    assert history.round(3600, BUYER) == [(Event.STILL, Kind.BUYER_WAITS)]
    assert history.round(3615) == [(Event.OVER, Kind.BUYER_WAITS)]
    assert history.round(3630) == []
    assert history.known == {}


def test_a_restart_of_the_workers_is_no_alarm() -> None:
    """What lasts shorter than the hold is never told, in either direction."""
    history = History()

    assert history.round(0, WORKERS) == []
    assert history.round(15) == []
    assert history.round(30, WORKERS) == []
    assert history.round(60, WORKERS) == [(Event.OPENED, Kind.WORKERS)]
    assert history.round(75) == []
    assert history.round(80, WORKERS) == []
    assert history.round(109) == []
    assert history.round(110) == [(Event.OVER, Kind.WORKERS)]


def test_what_could_not_be_looked_at_is_not_over() -> None:
    """A central database that is down must not close the alarms of buyers who wait."""
    history = History()
    history.round(0, BUYER)

    assert history.round(60, looked_at={Kind.WORKERS}) == []
    assert history.round(75) == [(Event.OVER, Kind.BUYER_WAITS)]


@given(st.lists(st.tuples(st.integers(1, 900_000), st.booleans(), st.booleans()), max_size=40))
def test_opened_and_over_take_turns(rounds: list[tuple[int, bool, bool]]) -> None:
    """Whoever listens never hears the end of what he did not hear begin, nor two beginnings."""
    history, at_ms = History(), 0
    told: dict[Kind, list[Event]] = {Kind.BUYER_WAITS: [], Kind.WORKERS: []}
    for step_ms, waits, down in rounds:
        at_ms += step_ms
        found = [one for one, there in ((BUYER, waits), (WORKERS, down)) if there]
        for event, kind in history.round(at_ms / 1000, *found):
            if event is not Event.STILL:
                told[kind].append(event)
    for events in told.values():
        assert events == [Event.OPENED, Event.OVER] * (len(events) // 2) + (
            [Event.OPENED] if len(events) % 2 else []
        )

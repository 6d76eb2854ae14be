"""A breaker leaves alone what fails, and one try at a time finds out when it works again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenancy.breaker import EMPRESA, SERVER, Breaker, Pass, Policy, State


class Clock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _breaker(policy: Policy = SERVER, spread: Callable[[], float] = lambda: 1.0) -> Breaker:
    return Breaker(policy, clock=Clock(), spread=spread)


def _clock(breaker: Breaker) -> Clock:
    clock = breaker._clock
    assert isinstance(clock, Clock)
    return clock


def _fail(breaker: Breaker) -> bool:
    given = breaker.admit()
    assert given is not None
    return breaker.failed(given)


def _succeed(breaker: Breaker) -> bool:
    given = breaker.admit()
    assert given is not None
    return breaker.succeeded(given)


def test_three_failures_in_a_row_open_and_one_success_between_does_not() -> None:
    """A host that answers now and then is in use; one that is silent three times is not."""
    breaker = _breaker()
    for _ in range(3):
        assert not _fail(breaker)
        assert not _fail(breaker)
        assert not _succeed(breaker)
        _clock(breaker).now += 11  # or it would be half of ten, see below
    assert [_fail(breaker) for _ in range(3)] == [False, False, True]
    assert breaker.admit() is None
    assert breaker.retry_after_s == 1.0


def test_half_of_ten_within_ten_seconds_open() -> None:
    """A host that fails every other time is no use either; older tries are forgotten."""
    breaker = _breaker()
    for _ in range(4):
        assert not _succeed(breaker)
        assert not _fail(breaker)
    _clock(breaker).now += 10.5
    for _ in range(4):
        assert not _succeed(breaker)
        assert not _fail(breaker)
    assert not _succeed(breaker)
    assert _fail(breaker)


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        (SERVER, [1, 2, 4, 8, 16, 30, 30]),
        (EMPRESA, [30, 60, 120, 240, 300, 300]),
    ],
)
def test_each_failed_probe_doubles_the_wait_up_to_the_longest(
    policy: Policy, waits: list[float]
) -> None:
    """A dead database costs less and less, and never is given up for good."""
    breaker = _breaker(policy)
    for _ in range(policy.in_a_row - 1):
        assert not _fail(breaker)
    for wait_s in waits:
        assert _fail(breaker)
        assert breaker.retry_after_s == wait_s
        _clock(breaker).now += wait_s
    assert _succeed(breaker)
    for _ in range(policy.in_a_row):
        _fail(breaker)
    assert breaker.retry_after_s == waits[0]  # a success ends the row


def test_a_probe_that_was_cancelled_makes_way_for_the_next() -> None:
    """Or nobody would ever try again."""
    breaker = _breaker(EMPRESA)
    _fail(breaker)
    _clock(breaker).now += 30
    first = breaker.admit()
    assert first is not None
    assert breaker.admit() is None
    breaker.gave_up(first)
    second = breaker.admit()
    assert second is not None
    breaker.gave_up(first)  # told twice: it frees nobody else's probe
    assert breaker.admit() is None
    assert breaker.honours(second)
    assert not breaker.honours(first)


def test_processes_do_not_come_back_in_step() -> None:
    """The wait is spread, and never above the longest."""
    breaker = _breaker(SERVER, spread=iter([0.8, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2]).__next__)
    for _ in range(2):
        _fail(breaker)
    for wait_s in (0.8, 2.4, 4.8, 9.6, 19.2, 30, 30):
        assert _fail(breaker)
        assert breaker.retry_after_s == pytest.approx(wait_s)
        _clock(breaker).now += 30


def test_lost_connections_of_one_empresa_alone_never_open() -> None:
    """They may have been killed by hand; those of several within seconds were not."""
    breaker = _breaker()
    for _ in range(10):
        assert not breaker.lost(1)
    _clock(breaker).now += 5.5
    assert [breaker.lost(number) for number in (2, 3, 4)] == [False, False, False]
    assert breaker.lost(5)
    assert breaker.state is State.OPEN
    assert not breaker.lost(6)


class Machine(RuleBasedStateMachine):
    """Any order of calls, also from callers that were admitted long ago."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = _breaker()
        self.clock = _clock(self.breaker)
        self.out: list[Pass] = []
        self.probe: Pass | None = None
        self.may_try_at: float | None = None
        self.failed_since_success = 0

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def admit(self) -> None:
        was, given = self.breaker.state, self.breaker.admit()
        if was is State.CLOSED:
            assert given is not None
            assert not given.is_probe
        elif self.probe is not None or self.clock.now < (self.may_try_at or 0):
            assert given is None
        else:
            assert given is not None
            assert given.is_probe
            self.probe = given
        if given is not None:
            self.out.append(given)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), how=st.sampled_from(["succeeded", "failed", "gave_up"]))
    def tell(self, data: st.DataObject, how: str) -> None:
        given = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = self.breaker.state
        counts = given is self.probe or (before is State.CLOSED and self._is_current(given))
        getattr(self.breaker, how)(given)
        after = self.breaker.state
        if not counts:
            assert after is before  # a late answer changes nothing
        if given is self.probe:
            self.probe = None
            assert after is {"succeeded": State.CLOSED}.get(how, State.OPEN)
        if after is State.OPEN and (before is State.CLOSED or (counts and how == "failed")):
            self.may_try_at = self.clock.now + self.breaker.retry_after_s
            assert 1 <= self.breaker.retry_after_s <= 30

    def _is_current(self, given: Pass) -> bool:
        return given is self.breaker.admit()

    @invariant()
    def one_probe_at_most(self) -> None:
        assert (self.breaker.state is State.PROBING) == (self.probe is not None)

    @invariant()
    def it_always_says_when(self) -> None:
        closed = self.breaker.state is State.CLOSED
        assert 0 <= self.breaker.retry_after_s <= (0 if closed else 30)


TestAnyOrder = Machine.TestCase

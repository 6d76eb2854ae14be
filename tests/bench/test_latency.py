"""Latency and the web process are measured on true work; a message that is lost is no figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import latency
from bench.checks import Outcome, WrongResult
from bench.contest import Result
from bench.contestants import Contestant
from bench.delivery import sent, whole_way
from bench.ground import Ground
from bench.latency import Latency, at_rate, contestants, summed_up
from bench.scaling import scaling
from bench.sizes import Scale, Shape, Steady
from bench.webhook import webhook

_TINY = Shape(name="tiny", empresas=2, conversations=2, messages=1)
_STEADY = Steady(empresas=2, seconds=0.1, rates=(40,), probe=_TINY)


@pytest.mark.parametrize("who", contestants(), ids=lambda who: who.name)
async def test_each_message_has_a_latency(ground: Ground, who: Contestant) -> None:
    """All but the first of each dealer count, and all are stored and answered."""
    found = await at_rate(ground, who, 40, _STEADY)

    assert found.messages == 4
    assert 0 < found.p50 <= found.p95 <= found.p99 <= found.worst


async def test_the_last_rate_is_half_of_what_a_contestant_can_do(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each one's own most, found in the same run."""
    asked: list[tuple[str, int]] = []

    async def most(_: Ground, who: Contestant, shape: Shape) -> Result:
        return Result(contestant=who.name, answer=who.answer, shape=shape, cpu_s=1.0,
                      seconds=shape.total / 600, outcome=Outcome())  # fmt: skip

    async def one(_: Ground, who: Contestant, rate: int, __: Steady) -> Latency:
        asked.append((who.name, rate))
        return summed_up(who.name, rate, _BEGAN, _BEGAN, skip=1)

    monkeypatch.setattr(latency, "measure", most)
    monkeypatch.setattr(latency, "at_rate", one)

    found = await latency.latency(ground, _STEADY, lambda _: None)

    assert asked == [(who.name, rate) for who in contestants() for rate in (40, 300)]
    assert [one.is_half_of_most for one in found] == [False, True] * 3


_BEGAN = {"1": 1.0, "2": 2.0, "3": 3.0}


def test_waits_are_those_of_each_message() -> None:
    """In milliseconds; the first ones, which open connections, do not count."""
    began = {str(number): number / 10 for number in range(102)}
    ended = {key: at + (9 if key == "0" else int(key) / 1000) for key, at in began.items()}

    found = summed_up("any", 10, began, ended, skip=1)

    assert (found.messages, found.came_per_s) == (101, 10.0)
    assert (found.p50, found.p95, found.p99, found.worst) == (51.0, 96.0, 100.0, 101.0)


async def test_the_whole_way_ends_at_the_gateway(ground: Ground) -> None:
    """Replies are sent, and each buyer's wait is from his own webhook to his own answer."""
    result = await sent(ground, _TINY)
    assert result.answer == "lucas, sent"
    assert result.outcome.pending == 0

    way = await whole_way(ground, 40, _STEADY)

    assert way.messages == 4
    assert way.p50 > 0


async def test_webhooks_that_are_taken_stand_on_inboxes(ground: Ground) -> None:
    """Requests per second of a web process, with its CPU time for each."""
    (found,) = await webhook(ground, seconds=0.2, connections=(2,))

    assert found.requests >= 2
    assert found.server_us is None or found.server_us > 0


async def test_a_system_scales_and_rests(ground: Ground) -> None:
    """All figures come from one ground."""
    plan = Scale(few=replace(_TINY, empresas=1, conversations=4), many=2, active=1,
                 workers=(1, 2), idle_s=0.1, settle_s=0)  # fmt: skip
    found = await scaling(ground, plan, lambda _: None)

    assert [(one.workers, one.empresas) for one in found.speeds] == [(1, 1), (2, 1), (1, 2)]
    assert found.many_to_few > 0
    assert found.memory_mb is None or found.memory_mb > 10


async def test_what_never_gets_done_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that does not empty ends the run."""
    monkeypatch.setattr(latency, "_STALLED_S", 0.0)

    async def left() -> int:
        return 3

    with pytest.raises(WrongResult, match="3 messages are left"):
        await latency.emptied(left)

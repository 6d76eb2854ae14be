"""A round over many letters: it stops between two, keeps its pace, and counts what it did."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from worker.dead.find import Filter, Finder
from worker.dead.letter import Letter
from worker.dead.results import Outcome, Result
from worker.dead.round import Pace, Tally, chosen, go_through
from worker.queue.dead_letters import DeadLetters
from worker.queue.dead_shelf import DeadShelf


async def go(
    redis: Redis, *outcomes: Outcome, pace: Pace | None = None, stop_after: int = -1
) -> Tally:
    """One letter for each outcome that comes of it; stopped by a person after so many."""
    for number in range(len(outcomes)):
        await DeadLetters(redis).keep_reply(1, number, error="SendRefused: x")
    finder, stop, coming = Finder(DeadShelf(redis)), asyncio.Event(), iter(outcomes)
    ids = await chosen(finder, (), Filter())
    tally = Tally(found=len(ids))

    async def act(_: Letter) -> Result:
        return Result(next(coming), "why")

    def step() -> None:
        if tally.seen == stop_after:
            stop.set()

    await go_through(finder, ids, act, pace=pace or Pace(), stop=stop, tally=tally, step=step)
    return tally


async def test_whoever_says_stop_is_heard_before_the_next_letter(redis: Redis) -> None:
    """Without a pace nothing waits anywhere, and the signal is heard all the same."""
    tally = await go(redis, *[Outcome.REPLAYED] * 9, stop_after=3)

    assert (tally.seen, tally.interrupted) == (3, True)


async def test_letters_that_stay_do_not_use_up_the_round(redis: Redis) -> None:
    """Else the same ones would end every round, and those behind them would never come up."""
    stays, done = Outcome.STAYS, Outcome.REPLAYED

    tally = await go(redis, stays, stays, done, stays, done, done, pace=Pace(most=2))

    assert (tally.seen, tally.done, tally.interrupted) == (5, 2, False)
    assert tally.reasons[stays, "why"] == 3


async def test_no_more_letters_in_a_second_than_was_asked(redis: Redis) -> None:
    """Eleven at fifty in a second take a fifth of one."""
    clock = asyncio.get_running_loop().time
    started = clock()

    await go(redis, *[Outcome.REPLAYED] * 11, pace=Pace(per_second=50))

    assert clock() - started >= 0.2


async def test_a_letter_that_somebody_else_took_meanwhile_is_gone(redis: Redis) -> None:
    """It was found, and is not there any more when its time comes."""
    await DeadLetters(redis).keep_reply(1, 1, error="SendRefused: x")
    finder, tally = Finder(DeadShelf(redis)), Tally(found=1)
    ids = await chosen(finder, (), Filter())
    assert await DeadShelf(redis).take_away(ids[0].source.stream, ids[0].stream_id)

    async def act(_: Letter) -> Result:
        raise AssertionError("there is nothing to act on")

    await go_through(
        finder, ids, act, pace=Pace(), stop=asyncio.Event(), tally=tally, step=lambda: None
    )

    assert tally.outcomes == {Outcome.GONE: 1}

"""Takes dead letters one by one, at a pace, until all are done or somebody says stop.

Called by `worker.cli.dead_acts`. What is done has left the dead letters, so that the same command
goes on where an earlier one ended, however it ended.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from worker.dead.find import Filter, Finder
from worker.dead.letter import Letter, LetterId
from worker.dead.results import Outcome, Result

_DONE = (Outcome.REPLAYED, Outcome.DISCARDED, Outcome.SETTLED)

Act = Callable[[Letter], Awaitable[Result]]
"""What is done to each letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and how far."""

    per_second: float | None = None
    most: int | None = None
    """The round ends when so many are done; those that stay do not count. None: all."""


@dataclass(slots=True)
class Tally:
    """What a round did so far."""

    found: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[tuple[Outcome, str]] = field(default_factory=Counter)
    interrupted: bool = False

    @property
    def seen(self) -> int:
        """Letters that were taken up."""
        return self.outcomes.total()

    @property
    def done(self) -> int:
        """Letters that are no longer what they were because of this round."""
        return sum(self.outcomes[outcome] for outcome in _DONE)

    def add(self, result: Result) -> None:
        """One more."""
        self.outcomes[result.outcome] += 1
        if result.reason:
            self.reasons[result.outcome, result.reason] += 1


async def chosen(finder: Finder, ids: Sequence[LetterId], wanted: Filter) -> list[LetterId]:
    """The letters of a round, fixed at its start: what fails again while it runs is not of it."""
    return list(dict.fromkeys(ids)) or [letter.id async for letter in finder.find(wanted)]


async def go_through(
    finder: Finder,
    ids: Sequence[LetterId],
    act: Act,
    *,
    pace: Pace,
    stop: asyncio.Event,
    tally: Tally,
    step: Callable[[], None],
) -> None:
    """Counts into `tally`, also when it ends by an exception; calls `step` after each letter.

    Ends between two letters once `stop` is set.
    """
    clock = asyncio.get_running_loop().time
    next_at = clock()
    for letter_id in ids:
        if tally.done == pace.most:
            return
        if await _stopped(stop, next_at - clock()):
            tally.interrupted = True
            return
        if pace.per_second is not None:
            next_at = max(next_at, clock() - 1) + 1 / pace.per_second
        letter = await finder.one(letter_id)
        tally.add(Result(Outcome.GONE) if letter is None else await act(letter))
        step()


async def _stopped(stop: asyncio.Event, wait_s: float) -> bool:
    """Waits for the next one's time, not longer than until somebody says stop."""
    if wait_s <= 0:
        await asyncio.sleep(0)  # a signal is heard also where nothing else waits
        return stop.is_set()
    try:
        async with asyncio.timeout(wait_s):
            await stop.wait()
    except TimeoutError:
        return False
    return True

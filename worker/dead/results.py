"""What became of one dead letter. Made by `worker.dead.replay`, counted by `worker.dead.round`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """By what a person does next; the words are those of the command's output."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"
    SHOWN = "shown"
    SETTLED = "settled"
    """Nothing was left to do, so the letter went away."""
    LATE = "late"
    """Too old to be answered by itself: a person writes, then discards it."""
    GONE = "gone"
    """Somebody else took it meanwhile."""
    STAYS = "stays"
    """It cannot be replayed now; the reason says what is missing."""


@dataclass(frozen=True, slots=True)
class Result:
    """One letter's outcome."""

    outcome: Outcome
    reason: str = ""


def done(ours: bool, outcome: Outcome, reason: str = "") -> Result:
    """The outcome, when the letter was still there for us to take."""
    return Result(outcome, reason) if ours else Result(Outcome.GONE)

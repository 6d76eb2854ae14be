"""How long an empresa needs until a waiting buyer is answered again. Called by `run`. Pure.

A recovery begins when the last fault that could touch the empresa has ended, and ends with the
next message of ours at the phone of a buyer who was waiting then. A fault that begins before that
answer puts the beginning off to its own end: nothing is left out for being slow.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dev.chaos.books import Book
from dev.chaos.strike import Struck


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Of one empresa. Unix seconds."""

    empresa_id: int
    since: float
    until: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.until - self.since


def recoveries(book: Book, struck: Iterable[Struck]) -> list[Recovery]:
    """All of this empresa; none where nobody was waiting."""
    faults = sorted(
        (fault.since, fault.until) for fault in struck if book.dealer.id in fault.empresas
    )
    answers = _times_by_buyer(book)
    found: list[Recovery] = []
    place = 0
    while place < len(faults):
        end = faults[place][1]
        place += 1
        answer = _next_answer(book, answers, end)
        while place < len(faults) and (answer is None or faults[place][0] <= max(end, answer)):
            if answer is None and faults[place][0] > end:
                break  # nobody waits: the next fault has a recovery of its own
            end = max(end, faults[place][1])
            place += 1
            answer = _next_answer(book, answers, end)
        if answer is not None:
            found.append(Recovery(empresa_id=book.dealer.id, since=end, until=answer))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _times_by_buyer(book: Book) -> Mapping[str, list[float]]:
    times: dict[str, list[float]] = {}
    for copy in book.copies:
        times.setdefault(copy.buyer, []).append(copy.at)
    return times


def _next_answer(book: Book, answers: Mapping[str, list[float]], end: float) -> float | None:
    """The first answer after `end` to a buyer whose newest message before it had none."""
    newest: dict[str, float] = {}
    for message in book.received:
        at = book.written[message.id].first_at if message.id in book.written else float("inf")
        if at <= end:
            newest[message.buyer] = max(at, newest.get(message.buyer, 0.0))
    found: list[float] = []
    for buyer, written_at in newest.items():
        times = answers.get(buyer, [])
        place = bisect.bisect_right(times, written_at)
        if place < len(times) and times[place] > end:
            found.append(times[place])
    return min(found, default=None)

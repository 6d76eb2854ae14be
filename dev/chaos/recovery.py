"""How long an empresa needs until a buyer is answered again, and how long buyers wait. Pure.

A recovery begins when the last fault that could touch the empresa has ended, if a buyer is waiting
then, and ends with the next message of ours at a phone. A fault that begins before that message
puts the beginning off to its own end: nothing is left out for being slow. Called by `run`.
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
    times = _times_by_buyer(book)
    found: list[Recovery] = []
    place = 0
    while place < len(faults):
        end = faults[place][1]
        place += 1
        answer = _next_answer(book, times, end)
        while place < len(faults) and faults[place][0] <= (end if answer is None else answer):
            end = max(end, faults[place][1])
            place += 1
            answer = _next_answer(book, times, end)
        if answer is not None:
            found.append(Recovery(empresa_id=book.dealer.id, since=end, until=answer))
    return found


def waits(book: Book) -> list[float]:
    """Seconds from each message that was stored to the next of ours at its buyer's phone."""
    times = _times_by_buyer(book)
    found: list[float] = []
    for buyer, at in _written_times(book):
        after = _after(times.get(buyer, []), at)
        if after is not None:
            found.append(after - at)
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


def _written_times(book: Book) -> Iterable[tuple[str, float]]:
    for message in book.received:
        if message.id in book.written:
            yield message.buyer, book.written[message.id].first_at


def _next_answer(book: Book, times: Mapping[str, list[float]], end: float) -> float | None:
    """The first answer after `end`, to whomever; None when nobody was waiting for one then."""
    for buyer, written_at in _written_times(book):
        after = _after(times.get(buyer, []), written_at)
        if written_at <= end and after is not None and after > end:
            return min(first for of in times.values() if (first := _after(of, end)) is not None)
    return None


def _after(times: Sequence[float], at: float) -> float | None:
    place = bisect.bisect_right(times, at)
    return times[place] if place < len(times) else None

"""Several statements in one round trip, and what each gave back. Used by `tenancy.session`.

A round trip costs a worker more than most statements do: half of its CPU time goes into writing to
sockets. The server runs what came together in its order and stops at the first failure.
"""

# mypy: disable-error-code="no-untyped-call"
# The driver ships no types.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tenancy.driver import QuietCursor
from tenancy.literals import LARGEST_STATEMENT

Row = tuple[Any, ...]

_SEPARATOR = ";\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a statement gave back."""

    rows: Sequence[Row]
    columns: tuple[str, ...]
    matched: int
    last_id: int


def in_trips(statements: Sequence[str]) -> Iterator[list[str]]:
    """Statements that go to the server together, no more than LARGEST_STATEMENT at once."""
    trip: list[str] = []
    length = 0
    for text in statements:
        if trip and length + len(text) > LARGEST_STATEMENT:
            yield trip
            trip, length = [], 0
        trip.append(text)
        length += len(text)
    if trip:
        yield trip


async def results_of(cursor: QuietCursor, trip: Sequence[str]) -> list[Result]:
    """Of some statements that are sent as one. Raises RuntimeError when they were others: what a
    value should have been was read as SQL."""
    await cursor.execute(_SEPARATOR.join(trip))
    found = [_result(cursor)]
    while await cursor.nextset():
        found.append(_result(cursor))
    if len(found) != len(trip):
        raise RuntimeError(f"{len(trip)} statements were sent and {len(found)} were run")
    return found


def _result(cursor: QuietCursor) -> Result:
    columns = tuple(column[0] for column in cursor.description or ())
    return Result(
        rows=cursor.rows,
        columns=columns,
        matched=max(cursor.rowcount, 0),
        last_id=cursor.lastrowid or 0,
    )

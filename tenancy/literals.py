"""Writes values into SQL, as the literals that a server reads. Called by `tenancy.session`.

In place of the driver's own way, which takes four calls for each value: a batch has ten thousand.
Sessions pin what the literals depend on: utf8mb4, UTC, and a backslash that escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pymysql.converters import escape_item

Params = Mapping[str, object] | Sequence[object]

LARGEST_STATEMENT = 1_000_000
"""Characters; a server takes 16 MB by default, and four bytes a character."""
_ROWS = re.compile(
    r"(\s*(?:INSERT|REPLACE)\s.+?\sVALUES\s*)(\((?:[^()]|\([^()]*\))*\))(.*)",
    re.IGNORECASE | re.DOTALL,
)
"""Before the row, the row (with calls of functions), what comes behind it."""


def with_values(sql: str, params: Params) -> str:
    """The statement with its values; a list becomes `(1, 2)`, for IN, and rows of a list too.

    Without values a percent sign stands for itself. Raises ValueError for an empty list: there is
    no such SQL, the caller must not ask.
    """
    if not params:
        return sql
    if isinstance(params, Mapping):
        return sql % {name: literal(value) for name, value in params.items()}
    return sql % tuple(map(literal, params))


def with_rows(sql: str, rows: Iterable[Params]) -> Iterator[str]:
    """INSERT .. VALUES with many rows: one statement, several above LARGEST_STATEMENT.

    Raises ValueError for another statement.
    """
    head, row, tail = _parts(sql)
    written: list[str] = []
    length = 0
    for params in rows:
        text = with_values(row, params)
        if written and length + len(text) > LARGEST_STATEMENT:
            yield head + ",".join(written) + tail
            written, length = [], 0
        written.append(text)
        length += len(text)
    yield head + ",".join(written) + tail


def literal(value: object) -> str:
    """One value. Times with a zone are written in UTC, the zone of every session."""
    write = _WRITERS.get(type(value))
    return write(value) if write is not None else _other(value)


@lru_cache(maxsize=256)
def _parts(sql: str) -> tuple[str, str, str]:
    found = _ROWS.fullmatch(sql)
    if found is None:
        raise ValueError("many rows need an INSERT .. VALUES that has one")
    return found[1] % (), found[2], found[3] % ()


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _moment(at: datetime) -> str:
    if at.tzinfo is not None:
        at = (at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None)
    return f"'{at}'"


def _list(values: Sequence[object]) -> str:
    if not values:
        raise ValueError("an empty list has no SQL")
    return "(" + ",".join(map(literal, values)) + ")"


_WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    str: _text,
    int: str,
    datetime: _moment,
    list: _list,
    tuple: _list,
}


def _other(value: object) -> str:
    """What is rare; the driver raises for what no column takes."""
    for kind in (str, datetime, list, tuple):  # a StrEnum is a text, too
        if isinstance(value, kind):
            return _WRITERS[kind](value)
    return str(escape_item(value, "utf8mb4"))

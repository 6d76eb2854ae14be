"""Compares a dealer's tables with those of this release. Used by `helix doctor`.

Tables, columns and indexes of the dealer's own are no drift; what is missing or of another type is.
Defaults, comments and collations are not compared: existing installations have their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from schema.snapshot import Snapshot

_TABLE = re.compile(r"CREATE TABLE `(\w+)`")
_COLUMN = re.compile(r"\s+`(\w+)` (\w+(?:\([^)]*\))?(?: unsigned)?)(.*)")
_KEY = re.compile(r"\s+(PRIMARY KEY|UNIQUE KEY|KEY)(?: `\w+`)? \(([^)]*(?:\(\d+\)[^)]*)*)\)")
_NAME = re.compile(r"`(\w+)`")
_WIDTH = re.compile(r"\b((?:tiny|small|medium|big)?int)\(\d+\)")
"""MySQL 8 shows no display width."""
_COLUMNS = """
    SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns
     WHERE table_schema = DATABASE()
"""
_INDEXES = """
    SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics
     WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index
"""


class Reader(Protocol):
    """A connection to a dealer's database."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""


@dataclass(frozen=True, slots=True)
class Column:
    """What statements rely on."""

    type: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class Index:
    """By what rows are found, and which must not be there twice."""

    columns: tuple[str, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table's shape."""

    columns: dict[str, Column]
    indexes: frozenset[Index]


@cache
def expected(snapshot: Snapshot) -> dict[str, Table]:
    """The shapes that a snapshot makes."""
    return dict(map(_parsed, snapshot.statements))


async def actual(conn: Reader) -> dict[str, Table]:
    """The shapes of the selected database, in two statements."""
    columns: dict[str, dict[str, Column]] = {}
    for table, name, type_, nullable in await conn.fetch_all(_COLUMNS):
        columns.setdefault(table, {})[name] = Column(_plain(_text(type_)), nullable == "YES")
    keys: dict[tuple[str, str], tuple[bool, list[str]]] = {}
    for table, name, non_unique, column in await conn.fetch_all(_INDEXES):
        keys.setdefault((table, name), (not non_unique, []))[1].append(column)
    indexes: dict[str, set[Index]] = {}
    for (table, _), (unique, names) in keys.items():
        indexes.setdefault(table, set()).add(Index(tuple(names), unique))
    return {
        table: Table(found, frozenset(indexes.get(table, ()))) for table, found in columns.items()
    }


async def drift(conn: Reader, snapshot: Snapshot) -> list[str]:
    """What the selected database lacks or has otherwise, in words; empty: it fits."""
    return differences(expected(snapshot), await actual(conn))


def differences(wanted: dict[str, Table], found: dict[str, Table]) -> list[str]:
    """In words, by table."""
    told = []
    for name, table in sorted(wanted.items()):
        if name not in found:
            told.append(f"table {name} is missing")
            continue
        told += _in_columns(name, table, found[name])
        told += _in_indexes(name, table, found[name])
    return told


def _in_columns(name: str, wanted: Table, found: Table) -> list[str]:
    told = []
    for column, shape in wanted.columns.items():
        there = found.columns.get(column)
        if there is None:
            told.append(f"column {name}.{column} is missing")
        elif there.type != shape.type:
            told.append(f"column {name}.{column} is {there.type}, not {shape.type}")
        elif shape.nullable and not there.nullable:
            told.append(f"column {name}.{column} takes no NULL")
    return told


def _in_indexes(name: str, wanted: Table, found: Table) -> list[str]:
    """A plain index may be a part of a longer one, and a unique one serves as a plain one."""
    told = []
    for index in sorted(wanted.indexes, key=lambda one: one.columns):
        size = len(index.columns)
        there = (
            index in found.indexes
            if index.unique
            else any(one.columns[:size] == index.columns for one in found.indexes)
        )
        if not there:
            kind = "unique index" if index.unique else "index"
            told.append(f"{kind} on {name} ({', '.join(index.columns)}) is missing")
    return told


def _parsed(statement: str) -> tuple[str, Table]:
    head = _TABLE.match(statement)
    if head is None:
        raise ValueError(f"no CREATE TABLE: {statement[:60]!r}")
    columns, indexes = {}, set()
    for line in statement.splitlines()[1:]:
        if column := _COLUMN.match(line):
            columns[column[1]] = Column(_plain(column[2]), " NOT NULL" not in column[3])
        elif key := _KEY.match(line):
            indexes.add(Index(tuple(_NAME.findall(key[2])), key[1] != "KEY"))
    return head[1], Table(columns, frozenset(indexes))


def _plain(type_: str) -> str:
    shown = _WIDTH.sub(r"\1", type_.lower())
    return "longtext" if shown == "json" else shown


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

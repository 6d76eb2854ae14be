"""The tables, columns and indexes of a database, to be compared. Used by `tenancy.drift`.

What should be there is read from the snapshot's CREATE TABLEs as MariaDB's SHOW CREATE TABLE writes
them: one column or key a line. Types are compared as MariaDB spells them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schema.snapshot import LEDGER, Snapshot

_TABLE = re.compile(r"CREATE TABLE `(\w+)`")
_COLUMN = re.compile(
    r"^  `(?P<name>\w+)` (?P<type>\w+(?:\((?:'(?:[^']|'')*'|[^)'])*\))?(?: unsigned)?)"
    r"(?P<rest>.*)",
    re.MULTILINE,
)
_KEY = re.compile(r"^  (?:UNIQUE )?KEY `\w+` \((.*)\)", re.MULTILINE)
_NAME = re.compile(r"`(\w+)`")
_COLUMNS = """
    SELECT c.table_name, c.column_name, c.column_type, c.is_nullable = 'YES'
      FROM information_schema.columns c
     WHERE c.table_schema = DATABASE()
"""
_INDEXES = """
    SELECT table_name, GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', ')
      FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND index_name <> 'PRIMARY'
     GROUP BY table_name, index_name
"""


class Reader(Protocol):
    """A connection that can read."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's type, and whether it may be NULL."""

    type: str
    nullable: bool

    def __str__(self) -> str:
        return f"{self.type} {'NULL' if self.nullable else 'NOT NULL'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Columns by (table, name); indexes, but primary keys, as (table, columns): an installation
    that was taken over has names of its own for them."""

    columns: Mapping[tuple[str, str], Column]
    indexes: frozenset[tuple[str, str]]

    @property
    def tables(self) -> frozenset[str]:
        """Names of all tables."""
        return frozenset(table for table, _ in self.columns)


def shape_of(snapshot: Snapshot) -> Shape:
    """What a database has that was made from it. Raises ValueError for a statement of another
    kind."""
    columns: dict[tuple[str, str], Column] = {}
    indexes: set[tuple[str, str]] = set()
    for statement in snapshot.statements:
        named = _TABLE.match(statement)
        if named is None:
            raise ValueError(f"no CREATE TABLE: {statement[:60]!r}")
        for match in _COLUMN.finditer(statement):
            nullable = "NOT NULL" not in match["rest"].partition(" COMMENT ")[0]
            columns[named[1], match["name"]] = Column(type=match["type"], nullable=nullable)
        indexes.update((named[1], ", ".join(_NAME.findall(key))) for key in _KEY.findall(statement))
    return Shape(columns=columns, indexes=frozenset(indexes))


async def shape_there(conn: Reader) -> Shape:
    """What the database has that the connection has selected; our ledger left out."""
    columns = {
        (table, name): Column(type=type_, nullable=bool(nullable))
        for table, name, type_, nullable in await conn.fetch_all(_COLUMNS)
        if table != LEDGER
    }
    indexes = {
        (table, columns) for table, columns in await conn.fetch_all(_INDEXES) if table != LEDGER
    }
    return Shape(columns=columns, indexes=frozenset(indexes))

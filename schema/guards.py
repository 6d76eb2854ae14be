"""Asks a database whether a step is needless there. Called by `schema.migrator`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from schema.errors import MigrationFailed
from schema.steps import Guard, Step, Version

Params = Mapping[str, object] | Sequence[object]

_HAS_TABLE = """
    SELECT COUNT(*) FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name = %(table)s
"""
_HAS_COLUMN = """
    SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = %(table)s AND column_name = %(name)s
"""
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = %(table)s
"""
_HAS_INDEX = """
    SELECT COUNT(*) FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = %(table)s AND index_name = %(name)s
"""
_IS_NULLABLE = _HAS_COLUMN + " AND is_nullable = 'YES'"
_IS_LONG = _HAS_COLUMN + " AND character_maximum_length >= %(length)s"
_HOLDS = {
    "table": _HAS_TABLE,
    "column": _HAS_COLUMN,
    "index": _HAS_INDEX,
    "nullable": _IS_NULLABLE,
    "length": _IS_LONG,
}


class MigrationConnection(Protocol):
    """A connection that the migrator has for itself; it is closed after use, never pooled."""

    async def fetch_all(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    async def execute(self, sql: str, params: Params = ()) -> int:
        """Runs a statement that returns no rows."""


async def is_needless(conn: MigrationConnection, version: Version, step: Step) -> bool:
    """Whether the selected database is already as the step leaves it.

    Raises MigrationFailed for a table that has some of the columns that are to be added.
    """
    if step.guard is None:
        return False
    if step.guard.what != "columns":
        return await _holds(conn, step.guard)
    rows = await conn.fetch_all(_COLUMNS, {"table": step.guard.table})
    there = step.added_columns & {row[0] for row in rows}
    if there and there != step.added_columns:
        raise MigrationFailed(
            f"table {step.guard.table} has columns of its own that migration "
            f"{version.number:04}_{version.name} is to add: {', '.join(sorted(there))}; "
            "rename them and run this again"
        )
    return bool(there)


async def _holds(conn: MigrationConnection, guard: Guard) -> bool:
    asked = {"table": guard.table, "name": guard.name, "length": guard.length}
    ((found,),) = await conn.fetch_all(_HOLDS[guard.what], asked)
    return bool(found)

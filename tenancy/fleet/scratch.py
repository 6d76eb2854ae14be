"""Tries migrations on a copy of a dealer's schema without its rows. Called by `tenancy.fleet.plan`.

On the copy each ALTER is tried with the cheapest algorithm first: the server says by itself which
one it needs, and that depends on the schema alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import uuid4

from schema.errors import StatementRefused
from schema.guards import Params
from schema.migrator import Migrator
from schema.snapshot import LEDGER
from schema.steps import Kind, versions
from tenancy.direct import direct
from tenancy.faults import TenantFaults
from tenancy.lease import Connection
from tenancy.names import checked, quoted
from tenancy.target import Limits, Target

_TABLES = "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'"
_PREFIX = "hx_plan_"
_NO_KEYS = "SET foreign_key_checks = 0"
# MariaDB: 1845, 1846 (not supported in this way) and 4122 (a table of system versions).
_CANNOT = frozenset({1845, 1846, 4122})


class Algorithm(StrEnum):
    """How a server carries out a step, the cheapest first."""

    CREATE = "create"
    """A new table."""
    INSTANT = "instant"
    """The dictionary alone."""
    NOCOPY = "nocopy"
    """Reads the table, writes an index; others read and write meanwhile."""
    INPLACE = "inplace"
    """Writes the table anew; others read and write meanwhile."""
    COPY = "copy"
    """Copies the table; nobody else writes meanwhile."""
    ROWS = "rows"
    """Changes rows."""


StepKey = tuple[int, int]
"""Version and step."""


@dataclass(slots=True)
class Trial:
    """What came of trying."""

    empresa_id: int
    """Whose schema it was."""
    algorithms: dict[StepKey, Algorithm] = field(default_factory=dict)


async def tried_on_copy(empresa_id: int, admin: Target, limits: Limits) -> Trial:
    """Migrates a schema-only copy of the database that `admin` names, and drops it.

    Raises what the migration of the dealer himself would raise, and TenantRefused when `admin` may
    not create databases.
    """
    async with _copy(empresa_id, admin, limits) as conn:
        prober = _Prober(conn)
        await Migrator(prober, versions(Kind.TENANT)).run()
        return Trial(empresa_id=empresa_id, algorithms=prober.found)


@asynccontextmanager
async def _copy(empresa_id: int, admin: Target, limits: Limits) -> AsyncIterator[Connection]:
    name = checked(f"{_PREFIX}{empresa_id}_{uuid4().hex[:16]}")
    faults = TenantFaults(empresa_id)
    async with direct(admin, limits, faults) as source:
        await source.execute(f"CREATE DATABASE {quoted(name)} CHARACTER SET utf8mb4")
        try:
            async with direct(replace(admin, database=name), limits, faults) as conn:
                await _copy_tables(source, conn, str(admin.database))
                yield conn
        finally:
            await source.execute(f"DROP DATABASE {quoted(name)}")


async def _copy_tables(source: Connection, conn: Connection, database: str) -> None:
    await conn.execute(_NO_KEYS)
    for table, _ in await source.fetch_all(_TABLES):
        ((_, statement),) = await source.fetch_all(f"SHOW CREATE TABLE {quoted(table)}")
        await conn.execute(statement)
        if table == LEDGER:
            await conn.execute(
                f"INSERT INTO {quoted(LEDGER)} SELECT * FROM {quoted(database)}.{quoted(LEDGER)}"  # noqa: S608 - names of ours
            )


class _Prober:
    """A connection of the migrator that finds out the algorithm of each step."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._step: StepKey = (0, 0)
        self.found: dict[StepKey, Algorithm] = {}

    async def fetch_all(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """See MigrationConnection."""
        return await self._conn.fetch_all(sql, params)

    async def execute(self, sql: str, params: Params = ()) -> int:
        """See MigrationConnection. The step is named by what is recorded before it."""
        if isinstance(params, Mapping) and "step" in params:
            self._step = int(str(params["version"])), int(str(params["step"]))
            return await self._conn.execute(sql, params)
        word = sql.split(maxsplit=1)[0].upper()
        if word == "ALTER":
            return await self._cheapest(sql)
        if self._step != (0, 0):
            self.found[self._step] = Algorithm.CREATE if word == "CREATE" else Algorithm.ROWS
        return await self._conn.execute(sql, params)

    async def _cheapest(self, sql: str) -> int:
        for algorithm in (Algorithm.INSTANT, Algorithm.NOCOPY, Algorithm.INPLACE):
            try:
                done = await self._conn.execute(f"{sql}, ALGORITHM={algorithm.upper()}")
            except StatementRefused as error:
                if error.code not in _CANNOT:
                    raise
            else:
                self.found[self._step] = algorithm
                return done
        self.found[self._step] = Algorithm.COPY
        return await self._conn.execute(sql)

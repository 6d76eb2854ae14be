"""Says what a run would do to each dealer, and does nothing. Called by `helix migrate --plan`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from schema.errors import HelixError
from schema.migrator import Migrator
from schema.steps import Kind, Step, Version, versions
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults
from tenancy.fleet.queue import Crowd
from tenancy.fleet.scratch import Algorithm, StepKey, Trial, tried_on_copy
from tenancy.fleet.values import Wave
from tenancy.fleet.waves import waves
from tenancy.migrate import as_migrator
from tenancy.names import user_of
from tenancy.registry import NEW
from tenancy.roles import Roles
from tenancy.servers import Role
from tenancy.settings import TenancySettings
from tenancy.target import Limits

_SIZES = """
    SELECT table_name, COALESCE(table_rows, 0), COALESCE(data_length + index_length, 0)
      FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
"""
_TABLE = re.compile(r"(?:TABLE|INTO|UPDATE|FROM)\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One statement that a database lacks."""

    version: int
    step: int
    name: str
    """Of the migration."""
    table: str | None
    rows: int | None
    """About so many, as the server guesses; None for a table that is not there yet."""
    size_bytes: int | None
    """With its indexes."""
    heavy: bool
    """Marked as one that copies tables: see `tenancy.fleet.heavy`."""
    algorithm: Algorithm | None
    """As found on the copy; None when it was not tried there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOf:
    """One dealer: his steps, or why they are not known."""

    empresa_id: int
    wave: Wave
    database: str | None
    steps: tuple[PlannedStep, ...] = ()
    error: HelixError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Of all dealers, in the order in which they would be migrated."""

    empresas: tuple[PlanOf, ...]
    tried_on: int | None
    """Whose schema was copied; None when no one lacks anything, or no copy could be made."""
    trial_error: HelixError | None = None
    """Why the steps did not go through on the copy."""


async def make_plan(
    settings: TenancySettings, *, only: int | None = None, crowd: Crowd | None = None
) -> Plan:
    """Raises CentralUnavailable; what is wrong at one dealer stands in his plan."""
    roles, rows = Roles(settings), await _rows(settings, only)
    lacks: dict[int, _Lack] = {}
    errors: dict[int, HelixError] = {}

    async def one(row: EmpresaRow) -> None:
        try:
            lacks[row.id] = await _look(roles, row)
        except HelixError as error:
            errors[row.id] = error

    await (crowd or Crowd()).work(rows, one)
    trial, trial_error = await _try(roles, rows, lacks)
    algorithms = {} if trial is None else trial.algorithms
    order = {only: Wave.SINGLE} if only is not None else waves(rows)
    databases = {row.id: row.db_name for row in rows}
    return Plan(
        empresas=tuple(
            PlanOf(
                empresa_id=id_,
                wave=wave,
                database=databases[id_],
                steps=lacks[id_].planned(algorithms) if id_ in lacks else (),
                error=errors.get(id_),
            )
            for id_, wave in order.items()
            if id_ in databases
        ),
        tried_on=None if trial is None else trial.empresa_id,
        trial_error=trial_error,
    )


@dataclass(frozen=True, slots=True)
class _Lack:
    """What one database lacks, and its tables."""

    steps: Sequence[tuple[Version, Step]]
    sizes: dict[str, tuple[int, int]]

    def planned(self, algorithms: dict[StepKey, Algorithm]) -> tuple[PlannedStep, ...]:
        return tuple(self._step(version, step, algorithms) for version, step in self.steps)

    def _step(
        self, version: Version, step: Step, algorithms: dict[StepKey, Algorithm]
    ) -> PlannedStep:
        named = _TABLE.search(step.sql)
        rows, size = (None, None) if named is None else self.sizes.get(named[1], (None, None))
        return PlannedStep(
            version=version.number,
            step=step.number,
            name=version.name,
            table=None if named is None else named[1],
            rows=rows,
            size_bytes=size,
            heavy=version.heavy,
            algorithm=algorithms.get((version.number, step.number)),
        )


async def _rows(settings: TenancySettings, only: int | None) -> list[EmpresaRow]:
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        rows = await Empresas(conn).all()
    return [
        row
        for row in rows
        if row.place is not None and row.status != NEW and only in (None, row.id)
    ]


async def _look(roles: Roles, row: EmpresaRow) -> _Lack:
    async with as_migrator(roles, row) as conn:
        missing = await Migrator(conn, versions(Kind.TENANT)).missing_steps()
        sizes = await conn.fetch_all(_SIZES) if missing else []
    return _Lack(missing, {table: (int(rows), int(size)) for table, rows, size in sizes})


async def _try(
    roles: Roles, rows: Sequence[EmpresaRow], lacks: dict[int, _Lack]
) -> tuple[Trial | None, HelixError | None]:
    """On a canary that lacks something, else on whoever lacks most; only where we may create
    databases: at dealers whose databases we made."""
    able = [
        (row, row.place)
        for row in rows
        if row.place is not None and row.place.user == user_of(row.id)
        if row.id in lacks and lacks[row.id].steps
    ]
    if not able:
        return None, None
    row, place = max(able, key=lambda one: (one[0].canary, len(lacks[one[0].id].steps)))
    try:
        target = await roles.target(Role.MIGRATOR, place.host, place.port, place.database)
        return await tried_on_copy(row.id, target, roles.limits), None
    except HelixError as error:
        return None, error

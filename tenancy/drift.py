"""Compares dealers' databases with the schema of this release. Used by `helix migrate --drift` and
by the health check between waves.

What a dealer has besides is his own and kept; it is told, and never in the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from schema.errors import HelixError
from schema.shape import Reader, Shape, shape_of, shape_there
from schema.snapshot import snapshot
from schema.steps import Kind
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults
from tenancy.fleet.queue import Crowd
from tenancy.migrate import as_migrator
from tenancy.roles import Roles
from tenancy.settings import TenancySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a database differs; each difference in words, sorted."""

    missing: tuple[str, ...] = ()
    """Tables, columns and indexes that migrations made and somebody took away."""
    different: tuple[str, ...] = ()
    """Columns of another type than ours."""
    extra: tuple[str, ...] = ()
    """The dealer's own tables, columns and indexes."""

    @property
    def is_harmful(self) -> bool:
        """Whether something that we need is not there."""
        return bool(self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOf:
    """A dealer's drift, or why it is not known."""

    empresa_id: int
    drift: Drift | None = None
    error: HelixError | None = None


async def drift(conn: Reader) -> Drift:
    """Of the dealer's database that the connection has selected, against the newest schema."""
    return compare(expected(), await shape_there(conn))


@cache
def expected() -> Shape:
    """What all migrations end in."""
    made = snapshot(Kind.TENANT)
    if made is None:
        raise RuntimeError("this release brings no snapshot of the dealers' schema")
    return shape_of(made)


def compare(wanted: Shape, there: Shape) -> Drift:
    """A table that is missing is told once, not column by column; so is one of the dealer's own."""
    common = wanted.tables & there.tables
    gone = [f"table {table}" for table in wanted.tables - there.tables]
    own = [f"table {table}" for table in there.tables - wanted.tables]
    different = []
    for key, column in wanted.columns.items():
        name = f"column {key[0]}.{key[1]}"
        if key[0] not in common:
            continue
        if key not in there.columns:
            gone.append(name)
        elif there.columns[key] != column:
            different.append(f"{name}: {there.columns[key]}, ours is {column}")
    own += [_column(key) for key in there.columns if key[0] in common and key not in wanted.columns]
    gone += [
        _index(key)
        for key in wanted.indexes - there.indexes
        if key[0] in common and not _serves(key, there)
    ]
    own += [_index(key) for key in there.indexes - wanted.indexes if key[0] in common]
    return Drift(
        missing=tuple(sorted(gone)), different=tuple(sorted(different)), extra=tuple(sorted(own))
    )


async def drift_of_all(
    settings: TenancySettings, *, only: int | None = None, crowd: Crowd | None = None
) -> list[DriftOf]:
    """Of every dealer who has a database, by id. Raises CentralUnavailable."""
    roles = Roles(settings)
    async with direct(central_target(settings), roles.limits, CentralFaults()) as conn:
        rows = await Empresas(conn).all()
    found: dict[int, DriftOf] = {}

    async def one(row: EmpresaRow) -> None:
        try:
            async with as_migrator(roles, row) as conn:
                found[row.id] = DriftOf(empresa_id=row.id, drift=await drift(conn))
        except HelixError as error:
            found[row.id] = DriftOf(empresa_id=row.id, error=error)

    wanted = [row for row in rows if row.place is not None and only in (None, row.id)]
    await (crowd or Crowd()).work(wanted, one)
    return [found[id_] for id_ in sorted(found)]


def _column(key: tuple[str, str]) -> str:
    return f"column {key[0]}.{key[1]}"


def _index(key: tuple[str, str]) -> str:
    return f"index {key[0]} ({key[1]})"


def _serves(index: tuple[str, str], there: Shape) -> bool:
    """Whether a longer index begins with the same columns."""
    table, columns = index
    return any(name == table and other.startswith(f"{columns}, ") for name, other in there.indexes)

"""Looks at a migrated database as the dealer's worker will. Called between the waves of a run."""

from __future__ import annotations

from dataclasses import replace

from schema.age import refuse_outdated
from schema.errors import MigrationFailed
from schema.steps import Kind, needed, versions
from tenancy.direct import direct
from tenancy.drift import drift
from tenancy.empresas import EmpresaRow
from tenancy.faults import TenantFaults
from tenancy.migrate import own_target
from tenancy.session import Profile
from tenancy.settings import TenancySettings
from tenancy.target import Limits


async def check(settings: TenancySettings, row: EmpresaRow) -> None:
    """The dealer's own user gets to his own database and finds all that this release needs there.

    Raises what opening it raises, TenantOutdated, and MigrationFailed, which names what is missing.
    """
    target = replace(own_target(settings, row), empresa_id=row.id)
    faults, limits = TenantFaults(row.id), Limits.of(settings)
    async with direct(target, limits, faults, profile=Profile.WORK) as conn:
        await refuse_outdated(conn, row.id, needed(versions(Kind.TENANT)))
        missing = (await drift(conn)).missing
    if missing:
        raise MigrationFailed(f"empresa {row.id} lacks, after its migration, {', '.join(missing)}")

"""Runs the migrator on the central database and on those of empresas. Used by the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from schema.errors import HelixError, NotConfigured
from schema.migrator import Migrated, Migrator
from schema.snapshot import snapshot
from schema.steps import Kind, versions
from tenancy.admin import admin_target, make_empty_database
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults, TenantFaults
from tenancy.keyring import password_of
from tenancy.names import user_of
from tenancy.servers import Role, role_target
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one empresa's database: one of the two."""

    empresa_id: int
    migrated: Migrated | None = None
    error: HelixError | None = None


async def migrate_central(settings: TenancySettings) -> Migrated:
    """Creates the central database if need be and brings it up to date.

    Raises CentralUnavailable and what Migrator.run raises.
    """
    limits = Limits.of(settings)
    server = admin_target(settings, settings.db_host, settings.db_port, None)
    async with direct(server, limits, CentralFaults()) as conn:
        await make_empty_database(conn, settings.db_name)
    database = admin_target(settings, settings.db_host, settings.db_port, settings.db_name)
    async with direct(database, limits, CentralFaults()) as conn:
        return await Migrator(conn, versions(Kind.CENTRAL)).run()


async def migrate_database(empresa_id: int, target: Target, limits: Limits) -> Migrated:
    """Brings one dealer's database up to date, as a user who may change tables there."""
    async with direct(target, limits, TenantFaults(empresa_id)) as conn:
        migrator = Migrator(conn, versions(Kind.TENANT), snapshot=snapshot(Kind.TENANT))
        return await migrator.run()


async def migrate_empresas(
    settings: TenancySettings,
    *,
    only: int | None = None,
    done: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """One database after another; a sick one is reported and passed over."""
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        rows = await Empresas(conn).all()
    outcomes = []
    for row in rows:
        if row.db_name and only in (None, row.id):
            outcome = await _migrate_one(settings, row)
            outcomes.append(outcome)
            done(outcome)
    return outcomes


async def _migrate_one(settings: TenancySettings, row: EmpresaRow) -> Outcome:
    try:
        target = await migration_target(settings, row)
        migrated = await migrate_database(row.id, target, Limits.of(settings))
    except HelixError as error:
        return Outcome(empresa_id=row.id, error=error)
    return Outcome(empresa_id=row.id, migrated=migrated)


async def migration_target(settings: TenancySettings, row: EmpresaRow) -> Target:
    """Whose rights migrate a database: ours where we made its user (who may not change tables),
    those of its own user where we took it over and may have no others."""
    place = row.place
    if place is None:
        raise NotConfigured(row.id, "its database has no user or password yet; create or adopt it")
    if place.user == user_of(row.id):
        return await role_target(settings, Role.MIGRATOR, place.host, place.port, place.database)
    password = settings.keyring().open(place.token, purpose=password_of(row.id))
    return Target(
        host=place.host,
        port=place.port,
        user=place.user,
        password=SecretStr(password),
        database=place.database,
    )

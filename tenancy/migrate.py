"""Runs the migrator on one database: the central one, or a dealer's.

Used by `tenancy.fleet` and by provisioning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schema.errors import NotConfigured
from schema.migrator import Migrated, Migrator
from schema.snapshot import snapshot
from schema.steps import Kind, versions
from tenancy.admin import admin_target, make_empty_database
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow
from tenancy.faults import CentralFaults, TenantFaults
from tenancy.keyring import password_of
from tenancy.lease import Connection
from tenancy.names import user_of
from tenancy.roles import Roles
from tenancy.servers import Role
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target


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


async def migrate_database(
    empresa_id: int, target: Target, limits: Limits, *, lock_wait_s: float = 30
) -> Migrated:
    """Brings one dealer's database up to date, as a user who may change tables there.

    Raises what Migrator.run raises; MigrationLocked after `lock_wait_s`.
    """
    async with direct(target, limits, TenantFaults(empresa_id)) as conn:
        return await migrate_selected(conn, lock_wait_s=lock_wait_s)


async def migrate_selected(conn: Connection, *, lock_wait_s: float = 30) -> Migrated:
    """The dealer's database that a connection has selected; after an error it must be closed."""
    migrator = Migrator(
        conn, versions(Kind.TENANT), snapshot=snapshot(Kind.TENANT), lock_wait_s=lock_wait_s
    )
    return await migrator.run()


@asynccontextmanager
async def as_migrator(roles: Roles, row: EmpresaRow) -> AsyncIterator[Connection]:
    """A dealer's database with the rights that migrate it: ours where we made its user (who may not
    change tables), those of its own user where we took it over and may have no others.

    Raises what opening it raises, NotConfigured, SecretUnreadable.
    """
    place, faults = row.place, TenantFaults(row.id)
    if place is not None and place.user == user_of(row.id):
        opening = roles.open(Role.MIGRATOR, place.host, place.port, place.database, faults)
    else:
        opening = direct(own_target(roles.settings, row), roles.limits, faults)
    async with opening as conn:
        yield conn


def own_target(settings: TenancySettings, row: EmpresaRow) -> Target:
    """A dealer's database as his own user, as workers open it. Raises NotConfigured,
    SecretUnreadable."""
    place = row.place
    if place is None:
        raise NotConfigured(row.id, "its database has no user or password yet; create or adopt it")
    password = settings.keyring().open(place.token, purpose=password_of(row.id))
    return place.target(password)

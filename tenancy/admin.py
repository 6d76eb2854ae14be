"""Acts on a database server with more rights than a dealer's user has. Used by provisioning.

Every step looks first and may be repeated; nothing is ever dropped.
"""

from __future__ import annotations

from schema.errors import NotConfigured, NotMigrated, StatementRefused, WrongTenant
from tenancy.lease import Connection
from tenancy.names import checked, grant_pattern, quoted
from tenancy.settings import TenancySettings
from tenancy.target import Target

_HAS_DATABASE = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = %(name)s"
_TABLES = """
    SELECT table_name FROM information_schema.tables WHERE table_schema = %(name)s
"""
_CREATE_DATABASE = "CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4"
_CREATE_USER = "CREATE USER %(user)s@'%%' IDENTIFIED BY %(password)s"
_SET_PASSWORD = "ALTER USER %(user)s@'%%' IDENTIFIED BY %(password)s"  # noqa: S105 - a statement
_IS_THERE = 1396  # ER_CANNOT_USER: MariaDB's and MySQL's answer for a user who is there
# Not of information_schema, which shows others' rights only to who may read passwords' hashes.
_GRANTS = "SELECT Db FROM mysql.db WHERE User = %(user)s"
_GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON {}.* TO %(user)s@'%%'"
_MARKER = "SELECT empresa_id FROM _tenant"
_MARK = """
    INSERT INTO _tenant (empresa_id)
    SELECT %(id)s FROM DUAL WHERE NOT EXISTS (SELECT empresa_id FROM _tenant)
"""


def admin_target(settings: TenancySettings, host: str, port: int, database: str | None) -> Target:
    """A server as the user who may create databases and users there."""
    return Target(
        host=host,
        port=port,
        user=settings.provision_db_user or settings.db_user,
        password=settings.provision_db_password or settings.db_password,
        database=database,
    )


async def make_database(conn: Connection, empresa_id: int, name: str) -> None:
    """Creates an empresa's database. One with content that we did not make is refused.

    What a run that was killed left behind is known by the migrator's ledger.
    """
    checked(name)
    tables = {str(row[0]) for row in await conn.fetch_all(_TABLES, {"name": name})}
    if tables and "_migrations" not in tables:
        raise NotConfigured(
            empresa_id,
            f"database {name} is there with tables of its own; "
            "`helix empresa adopt` takes over an existing database",
        )
    await make_empty_database(conn, name)


async def make_empty_database(conn: Connection, name: str) -> None:
    """Creates a database if there is none of this name; asks first, for it needs fewer rights."""
    if not (await conn.fetch_all(_HAS_DATABASE, {"name": name}))[0][0]:
        await conn.execute(_CREATE_DATABASE.format(quoted(name)))


async def make_user(
    conn: Connection, empresa_id: int, *, user: str, password: str, database: str
) -> None:
    """Creates an empresa's user, sets its password and its rights on its database alone.

    A user of this name who has rights on another database is not ours and is refused.
    """
    checked(user)
    grants = await conn.fetch_all(_GRANTS, {"user": user})
    escaped = grant_pattern(database)[1:-1]
    if any(row[0] not in (database, escaped) for row in grants):
        raise NotConfigured(
            empresa_id, f"database user {user} has rights elsewhere: it belongs to someone else"
        )
    login = {"user": user, "password": password}
    try:
        await conn.execute(_CREATE_USER, login)
    except StatementRefused as error:
        if error.code != _IS_THERE:
            raise
        await conn.execute(_SET_PASSWORD, login)
    await conn.execute(_GRANT.format(grant_pattern(database).replace("%", "%%")), {"user": user})


async def check_marker(conn: Connection, empresa_id: int) -> None:
    """Raises WrongTenant when the selected database says that it belongs to another empresa."""
    try:
        owners = {int(row[0]) for row in await conn.fetch_all(_MARKER)}
    except NotMigrated:
        return  # no table yet, so no owner
    if owners - {empresa_id}:
        raise WrongTenant(empresa_id, f"the database is marked as that of empresa {min(owners)}")


async def mark(conn: Connection, empresa_id: int) -> None:
    """Writes whose database the selected one is. Raises WrongTenant."""
    await conn.execute(_MARK, {"id": empresa_id})
    await check_marker(conn, empresa_id)

"""Acts on a dealer's databases and account as administrator. Used by move, restore and deletion.

Every step looks first and may be repeated. What is dropped is a copy that an operation made, or
what a person confirmed.
"""

from __future__ import annotations

import asyncio

from schema.errors import NotConfigured, StatementRefused, TryAgain, WrongTenant
from tenancy.admin import check_marker, make_empty_database, make_user
from tenancy.lease import Connection
from tenancy.names import database_of, grant_pattern, quoted

_VERSION = "SELECT VERSION()"
_TABLES = """
    SELECT table_name FROM information_schema.tables
     WHERE table_schema = %(name)s AND table_type = 'BASE TABLE' ORDER BY table_name
"""
_HAS_DATABASE = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = %(name)s"
_SESSIONS_OF_USER = """
    SELECT id FROM information_schema.processlist
     WHERE user = %(user)s AND id <> CONNECTION_ID()
"""
_SESSIONS_IN = """
    SELECT id FROM information_schema.processlist
     WHERE db = %(name)s AND id <> CONNECTION_ID()
"""
_KILL = "KILL CONNECTION %s"
_LOCK = "ALTER USER %(user)s@%(host)s ACCOUNT LOCK"
_UNLOCK = "ALTER USER %(user)s@%(host)s ACCOUNT UNLOCK"
_DROP_USER = "DROP USER IF EXISTS %(user)s@'%%'"
_GRANTS = """
    SELECT DISTINCT table_schema FROM information_schema.schema_privileges
     WHERE grantee = %(grantee)s
"""
_REVOKE = "REVOKE ALL PRIVILEGES ON {}.* FROM %(user)s@'%%'"
_GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON {}.* TO %(user)s@'%%'"
_SET_PASSWORD = "ALTER USER %(user)s@'%%' IDENTIFIED BY %(password)s"  # noqa: S105 - a statement
_NO_SUCH_THREAD = 1094
_LOOK_EVERY_S = 0.02
_GONE_S = 10.0


async def version(conn: Connection) -> str:
    """The server's, as it says it."""
    return str((await conn.fetch_all(_VERSION))[0][0])


async def has_database(conn: Connection, name: str) -> bool:
    """Whether there is one of this name."""
    return bool((await conn.fetch_all(_HAS_DATABASE, {"name": name}))[0][0])


async def tables(conn: Connection, database: str) -> list[str]:
    """Names of its tables, without views."""
    return [str(row[0]) for row in await conn.fetch_all(_TABLES, {"name": database})]


async def rows_of(conn: Connection, database: str) -> dict[str, int]:
    """Rows by table, counted."""
    counted = {}
    for table in await tables(conn, database):
        sql = f"SELECT COUNT(*) FROM {quoted(database)}.{quoted(table)}"  # noqa: S608 - quoted
        counted[table] = int((await conn.fetch_all(sql))[0][0])
    return counted


async def checksums(conn: Connection, database: str) -> dict[str, int]:
    """What CHECKSUM TABLE says by table; servers of one version agree on equal rows."""
    sums = {}
    for table in await tables(conn, database):
        row = (await conn.fetch_all(f"CHECKSUM TABLE {quoted(database)}.{quoted(table)} EXTENDED"))[
            0
        ]
        sums[table] = int(row[1])
    return sums


async def fresh_database(conn: Connection, empresa_id: int, name: str) -> None:
    """An empty database under the name of a copy. What a killed run left there goes, with the
    program that may still be writing to it."""
    await _end(conn, _SESSIONS_IN, {"name": name})
    await drop_database(conn, empresa_id, name)
    await make_empty_database(conn, name)


async def drop_database(conn: Connection, empresa_id: int, name: str) -> None:
    """Ends whoever uses it. Raises WrongTenant when its marker names another empresa."""
    if not await has_database(conn, name):
        return
    marked = [table for table in await tables(conn, name) if table == "_tenant"]
    if marked:
        sql = f"SELECT DISTINCT empresa_id FROM {quoted(name)}._tenant"  # noqa: S608 - quoted
        owners = {int(row[0]) for row in await conn.fetch_all(sql)}
        if owners - {empresa_id}:
            raise WrongTenant(empresa_id, f"database {name} is that of empresa {min(owners)}")
    await conn.execute(f"DROP DATABASE IF EXISTS {quoted(name)}")


async def lock_account(conn: Connection, user: str, host: str) -> None:
    """Nobody logs in as it any more, and its sessions are over."""
    await conn.execute(_LOCK, {"user": user, "host": host})
    await end_sessions(conn, user)


async def end_sessions(conn: Connection, user: str) -> None:
    """Ends all sessions of an account and waits until they are gone. Raises TryAgain."""
    await _end(conn, _SESSIONS_OF_USER, {"user": user})


async def unlock_account(conn: Connection, user: str, host: str) -> None:
    """It may log in again."""
    await conn.execute(_UNLOCK, {"user": user, "host": host})


async def make_account(
    conn: Connection, empresa_id: int, *, user: str, password: str, database: str
) -> None:
    """A user of ours with rights on a database, unlocked. On a server where it is known already
    (a restore beside the old database) it keeps its other rights until `revoke`.

    Raises NotConfigured when the user is somebody else's.
    """
    known = {str(row[0]) for row in await conn.fetch_all(_GRANTS, {"grantee": f"'{user}'@'%'"})}
    own = database_of(empresa_id)
    for name in {name.replace("\\", "") for name in known}:
        if name not in {own, database} and not name.startswith(f"{own}_"):
            raise NotConfigured(
                empresa_id, f"database user {user} has rights elsewhere: it is someone else's"
            )
    if not known:
        await make_user(conn, empresa_id, user=user, password=password, database=database)
    else:
        await conn.execute(
            _GRANT.format(grant_pattern(database).replace("%", "%%")), {"user": user}
        )
        await conn.execute(_SET_PASSWORD, {"user": user, "password": password})
    await unlock_account(conn, user, "%")


async def revoke(conn: Connection, user: str, database: str) -> None:
    """A user of ours has no rights on this database any more."""
    granted = {row[0] for row in await conn.fetch_all(_GRANTS, {"grantee": f"'{user}'@'%'"})}
    for name in (grant_pattern(database), quoted(database)):
        if name.strip("`") in granted:
            await conn.execute(_REVOKE.format(name.replace("%", "%%")), {"user": user})
            granted.discard(name.strip("`"))


async def retire_account(conn: Connection, user: str, database: str) -> None:
    """As `revoke`; a user of ours who then has rights nowhere goes."""
    await revoke(conn, user, database)
    if not await conn.fetch_all(_GRANTS, {"grantee": f"'{user}'@'%'"}):
        await drop_account(conn, user)


async def drop_account(conn: Connection, user: str) -> None:
    """A user of ours goes, with its sessions."""
    await conn.execute(_DROP_USER, {"user": user})
    await end_sessions(conn, user)


async def check_owner(conn: Connection, empresa_id: int, database: str) -> None:
    """Raises WrongTenant unless the selected database bears this empresa's marker."""
    await check_marker(conn, empresa_id)
    rows = await conn.fetch_all("SELECT COUNT(*) FROM _tenant")
    if not rows[0][0]:
        raise WrongTenant(empresa_id, f"database {database} bears nobody's marker")


async def _end(conn: Connection, sql: str, values: dict[str, object]) -> None:
    deadline = asyncio.get_running_loop().time() + _GONE_S
    while sessions := [int(row[0]) for row in await conn.fetch_all(sql, values)]:
        for thread_id in sessions:
            try:
                await conn.execute(_KILL, (thread_id,))
            except StatementRefused as error:
                if error.code != _NO_SUCH_THREAD:
                    raise
        if asyncio.get_running_loop().time() > deadline:
            raise TryAgain(f"{len(sessions)} sessions on the server do not end")
        await asyncio.sleep(_LOOK_EVERY_S)

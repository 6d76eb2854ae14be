"""Closes what a default server opens to everybody. Called by `tenancy.server_setup`.

No database with anything in it is ever dropped.
"""

from __future__ import annotations

from tenancy.lease import Connection
from tenancy.names import quoted
from tenancy.server_steps import State, Steps

_ANONYMOUS = "SELECT Host FROM mysql.user WHERE User = '' ORDER BY Host"
_DROP_USER = "DROP USER %(user)s@%(host)s"
_OPEN_TO_ALL = "SELECT COUNT(*) FROM mysql.db WHERE User = ''"
_CLOSE = "DELETE FROM mysql.db WHERE User = ''"
_FLUSH = "FLUSH PRIVILEGES"
_TEST = """
    SELECT s.schema_name, COUNT(t.table_name)
      FROM information_schema.schemata s
      LEFT JOIN information_schema.tables t ON t.table_schema = s.schema_name
     WHERE s.schema_name = 'test' OR s.schema_name LIKE 'test\\_%%' GROUP BY s.schema_name
"""


async def anonymous(conn: Connection, steps: Steps) -> None:
    """Users without a name."""

    async def look() -> list[str]:
        return [str(host) for (host,) in await conn.fetch_all(_ANONYMOUS)]

    async def drop(hosts: list[str]) -> None:
        for host in hosts:
            await conn.execute(_DROP_USER, {"user": "", "host": host})

    await steps.mend(
        "anonymous users",
        look,
        drop,
        why="they log in without a name or a password",
        ask="for each row of SELECT Host FROM mysql.user WHERE User = '': DROP USER ''@'host'",
    )


async def open_databases(conn: Connection, steps: Steps) -> None:
    """Rights that everybody has, and the databases that they are for."""

    async def look() -> list[str]:
        (row,) = await conn.fetch_all(_OPEN_TO_ALL)
        return [f"{row[0]} rows of mysql.db"] if row[0] else []

    async def close(_found: list[str]) -> None:
        await conn.execute(_CLOSE)
        await conn.execute(_FLUSH)

    await steps.mend(
        "rights of everybody",
        look,
        close,
        why="whoever has any account may read and write databases named test...",
        ask=f"{_CLOSE}; {_FLUSH}",
    )
    await _test_databases(conn, steps)


async def _test_databases(conn: Connection, steps: Steps) -> None:
    rows = await conn.fetch_all(_TEST)
    full = [str(name) for name, tables in rows if tables]
    empty = [str(name) for name, tables in rows if not tables]

    async def look() -> list[str]:
        return empty

    async def drop(names: list[str]) -> None:
        for name in names:
            await conn.execute(f"DROP DATABASE {quoted(name)}")

    await steps.mend(
        "test databases",
        look,
        drop,
        why="a default server opens databases of such names to everybody",
        ask="DROP DATABASE test",
    )
    if full:
        steps.add(
            "test databases",
            State.ASK,
            f"{', '.join(full)} has tables and stays",
            why="it may be somebody's",
            do="look what is in it; drop or rename it by hand",
        )

"""Writes schema/migrations/tenant/snapshot.sql anew: `make snapshot`, after each new migration."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

from dev.servers import MariaDB, running
from schema.migrator import Migrator
from schema.snapshot import take
from schema.steps import Kind, versions
from tenancy.direct import direct
from tenancy.faults import CentralFaults
from tenancy.target import Limits, Target

FILE = Path(__file__).parents[1] / "schema" / "migrations" / Kind.TENANT.value / "snapshot.sql"


async def text_from(server: MariaDB) -> str:
    """The snapshot of a database that is made for this, step by step, and dropped."""
    name = f"snapshot_{uuid4().hex[:16]}"
    target = Target(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database=name,
    )
    async with server.connect() as admin, admin.cursor() as cursor:
        await cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            async with direct(target, Limits(), CentralFaults()) as conn:
                await Migrator(conn, versions(Kind.TENANT)).run()
                return await take(conn, Kind.TENANT)
        finally:
            await cursor.execute(f"DROP DATABASE {name}")


def main() -> None:
    """Writes the file."""
    with running() as servers:
        FILE.write_text(asyncio.run(text_from(servers.mariadb)), encoding="utf-8")
    print(f"{FILE.name} written")


if __name__ == "__main__":
    main()

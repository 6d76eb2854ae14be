"""A dealer with rows, a second server, and the tools of a dealer's life, for the tests here."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from dev.servers.extra import extra_mariadb
from dev.servers.mariadb import MariadbServer
from tenancy.empresas import EmpresaRow
from tenancy.life.ledger import Watch
from tenancy.life.settings import BackupSettings
from tenancy.life.store import BackupStore
from tenancy.life.tools import Tools, open_tools
from tenancy.names import database_of
from tests.tenancy.installation import Installation
from worker.life.at_work import AtWork
from worker.life.forget import Forget
from worker.media.settings import MediaSettings
from worker.media.store import open_store

TRICKY = "linha 1\n(2),\n(3, 'x');\nINSERT INTO `cars` VALUES\n(9) \\ \0 \u1f697 'ação'"
_CUSTOMERS = "INSERT INTO customers (name, phone) VALUES (%s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An installation whose administrator is known at both servers."""

    installation: Installation
    second: MariadbServer
    redis: Redis
    folder: Path

    @property
    def elsewhere(self) -> tuple[str, int]:
        """The second server."""
        return self.second.access.host, self.second.access.port

    @property
    def files(self) -> Path:
        """The folder of the media store."""
        return self.folder / "media"

    @asynccontextmanager
    async def tools(
        self, *, watch: Watch = lambda _step, _moment: None, **changes: Any
    ) -> AsyncIterator[Tools]:
        """As a command has them."""
        store = BackupStore(BackupSettings(store=str(self.folder / "backups")))
        async with open_tools(
            self.installation.settings, AtWork(self.redis), store, watch=watch, patience_s=5
        ) as tools:
            yield replace(tools, **changes)

    def forget(self) -> Forget:
        """As a deletion has it."""
        return Forget(self.redis, open_store(MediaSettings(store=str(self.files))))

    async def dealer(self, number: int = 1) -> EmpresaRow:
        """With five customers who bear his number, one of them with a name that is hard to copy."""
        row = await self.installation.create(number, nome=f"Loja {number}")
        names = [f"dealer {number} customer {n}" for n in range(4)]
        await self.run(
            number, _CUSTOMERS,
            [(name, f"551198000{number:02}{n}") for n, name in enumerate([*names, TRICKY])],
        )  # fmt: skip
        return row

    async def make_large(self, empresa_id: int, rows: int = 6000) -> None:
        """A table of the dealer's own with so many KiB that do not get smaller in a backup."""
        database = database_of(empresa_id)
        await self.installation.sql(
            "CREATE TABLE fotos (id INT PRIMARY KEY, foto BLOB)", database=database
        )
        await self.installation.sql(
            f"INSERT INTO fotos SELECT seq, RANDOM_BYTES(1024) FROM seq_1_to_{rows}",  # noqa: S608
            database=database,
        )

    async def run(self, number: int, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """As the dealer's own user, where he is now."""
        async with (
            self.installation.tenancy() as tenancy,
            tenancy.pools.transaction(self.installation.empresa_id(number)) as conn,
        ):
            for row in rows:
                await conn.execute(sql, row)

    async def names(self, number: int = 1) -> list[str]:
        """Of his customers, as his own user sees them."""
        async with (
            self.installation.tenancy() as tenancy,
            tenancy.pools.connection(self.installation.empresa_id(number)) as conn,
        ):
            rows = await conn.fetch_all("SELECT name FROM customers ORDER BY id")
        return [row[0] for row in rows]

    async def row(self, number: int = 1) -> dict[str, Any]:
        """Of the registry."""
        found = await self.installation.central(
            "SELECT status, db_host, db_port, db_name, db_user FROM empresas WHERE id = %s",
            (self.installation.empresa_id(number),),
        )
        return dict(zip(("status", "host", "port", "database", "user"), found[0], strict=True))

    async def at_second(self, statement: str) -> list[tuple[Any, ...]]:
        """As administrator of the second server."""
        async with self.second.access.connect() as conn, conn.cursor() as cursor:
            await cursor.execute(statement)
            return list(await cursor.fetchall())


@pytest.fixture(scope="session")
def second_server() -> Iterator[MariadbServer]:
    """An empty one, for all tests of a run."""
    with extra_mariadb() as server:
        yield server


@pytest.fixture
async def ground(
    installation: Installation, second_server: MariadbServer, redis: Redis, tmp_path: Path
) -> AsyncIterator[Ground]:
    """Both servers with one administrator of this test's own."""
    user, password = f"adm_{secrets.token_hex(6)}", secrets.token_hex(12)
    servers = (installation.server, second_server.access)
    for server in servers:
        async with server.connect() as conn, conn.cursor() as cursor:
            await cursor.execute(f"CREATE USER {user} IDENTIFIED BY '{password}'")
            await cursor.execute(f"GRANT ALL ON *.* TO {user} WITH GRANT OPTION")
    settings = installation.settings.model_copy(
        update={"provision_db_user": user, "provision_db_password": SecretStr(password)}
    )
    (tmp_path / "media").mkdir()
    yield Ground(
        installation=replace(installation, settings=settings),
        second=second_server,
        redis=redis,
        folder=tmp_path,
    )
    for server in servers:
        async with server.connect() as conn, conn.cursor() as cursor:
            await cursor.execute(f"DROP USER {user}")

"""A whole installation for one test: a central database and dealers of its own, all gone after.

Fixtures are taken over by the conftest of the folders that need them.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from dev.fresh import fresh_settings
from dev.servers import MariaDB
from tenancy.empresas import EmpresaRow, Profile
from tenancy.names import database_of, user_of
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Ids of empresas are drawn from a range of this test's own."""

    server: MariaDB
    settings: TenancySettings
    first_id: int

    def empresa_id(self, number: int = 1) -> int:
        """The id of the first, second, ... empresa of this test, at most 60."""
        return self.first_id + number

    async def create(self, number: int = 1, nome: str = "Auto Show Curitiba") -> EmpresaRow:
        """A dealer with a database."""
        provisioner = Provisioner(self.settings)
        return await provisioner.create(self.empresa_id(number), Profile(nome=nome))

    @asynccontextmanager
    async def tenancy(self, **changes: object) -> AsyncIterator[Tenancy]:
        """The room put together, with other settings where given."""
        settings = self.settings.model_copy(update=changes)
        async with open_tenancy(settings, grace_s=0.5) as tenancy:
            yield tenancy

    async def sql(
        self, statement: str, params: Any = None, *, database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """As administrator."""
        async with (
            self.server.connect(database) as connection,
            connection.cursor() as cursor,
        ):
            await cursor.execute(statement, params)
            return list(await cursor.fetchall())

    async def central(self, statement: str, params: Any = None) -> list[tuple[Any, ...]]:
        """As administrator, in the central database."""
        return await self.sql(statement, params, database=self.settings.db_name)

    async def processes(self, number: int = 1) -> list[tuple[Any, ...]]:
        """What runs on the server as the user of an empresa: id, statement."""
        user = user_of(self.empresa_id(number))
        rows = await self.sql("SHOW FULL PROCESSLIST")
        return [(row[0], row[7]) for row in rows if row[1] == user]

    def environment(self) -> dict[str, str]:
        """For a child process."""
        settings = self.settings
        return {
            "DB_HOST": settings.db_host,
            "DB_PORT": str(settings.db_port),
            "DB_USER": settings.db_user,
            "DB_PASSWORD": settings.db_password.get_secret_value(),
            "DB_NAME": settings.db_name,
            "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
        }


@pytest.fixture
async def installation(mariadb: MariaDB) -> AsyncIterator[Installation]:
    """An installation without empresas; its databases and users are dropped afterwards."""
    first_id = random.SystemRandom().randrange(1, 10_000_000) * 64
    made = Installation(
        server=mariadb,
        first_id=first_id,
        settings=fresh_settings(
            mariadb,
            central=f"central_{uuid4().hex[:16]}",
            tenancy_registry_fresh_s=0,
            tenancy_acquire_timeout_s=10,
        ),
    )
    yield made
    await _remove(made)


async def _remove(installation: Installation) -> None:
    ids = range(installation.first_id, installation.first_id + 64)
    databases = {database_of(number) for number in ids} | {installation.settings.db_name}
    users = {user_of(number) for number in ids}
    for (name,) in await installation.sql("SELECT schema_name FROM information_schema.schemata"):
        # A copy that a move or a restore made has a number after the name of its dealer.
        if name in databases or name.rpartition("_")[0] in databases:
            await installation.sql(f"DROP DATABASE `{name}`")
    for (name,) in await installation.sql("SELECT user FROM mysql.user WHERE host = '%%'", ()):
        if name in users:
            await installation.sql("DROP USER %s@'%%'", (name,))

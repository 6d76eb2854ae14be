"""What a run stands on. Made by `dev.fuzz.__main__` and by the tests."""

from __future__ import annotations

from dataclasses import dataclass

from dev.servers import MariaDB
from tenancy.settings import TenancySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a run needs: empresas with their databases on one server."""

    server: MariaDB
    settings: TenancySettings
    ids: tuple[int, ...]

    async def rows(
        self, sql: str, params: tuple[object, ...] | None = None, *, database: str | None = None
    ) -> list[tuple[object, ...]]:
        """As administrator."""
        async with self.server.connect(database) as admin, admin.cursor() as cursor:
            await cursor.execute(sql, params)
            return list(await cursor.fetchall())

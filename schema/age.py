"""Tells whether a dealer's database is too old for this release. Used by `tenancy.pools`.

Steps are applied in their order, so a database that has all of one version has all before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from schema.errors import NotMigrated, TenantOutdated
from schema.steps import Version

_STEPS_DONE = """
    SELECT COUNT(*) FROM _migrations WHERE version = %(version)s AND state = 'feito'
"""


class Reader(Protocol):
    """A connection that can read."""

    async def fetch_all(self, sql: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """All rows of a query."""


async def refuse_outdated(conn: Reader, empresa_id: int, needed: Version) -> None:
    """Raises TenantOutdated unless all of `needed` is applied; reads some rows by their key."""
    try:
        ((done,),) = await conn.fetch_all(_STEPS_DONE, {"version": needed.number})
    except NotMigrated as error:
        raise TenantOutdated(empresa_id, needed=needed.number) from error
    if done < len(needed.steps):
        raise TenantOutdated(empresa_id, needed=needed.number)

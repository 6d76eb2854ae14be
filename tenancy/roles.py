"""Opens servers as the account for the work at hand. Used by migrations, provisioning, passwords.

The accounts of all servers are read once, for a run over a thousand dealers must not ask a thousand
times. One that is refused may have changed since: then they are read anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from schema.errors import NotMigrated, ServerRefused, TenantRefused
from tenancy.admin import admin_target
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.faults import CentralFaults, Faults
from tenancy.lease import Connection
from tenancy.servers import Account, Role, Servers
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target

_OURS = "empresa_"
"""How the names of all databases begin that we create."""

_Accounts = Mapping[tuple[str, int, Role], Account]


class Roles:
    """What one command knows of the servers' accounts."""

    def __init__(self, settings: TenancySettings) -> None:
        self.settings = settings
        self.limits = Limits.of(settings)
        self._keyring = settings.keyring()
        self._known: _Accounts | None = None
        self._reading = asyncio.Lock()

    async def target(self, role: Role, host: str, port: int, database: str | None) -> Target:
        """A server as the account for this work; as the provisioning user where none was made, and
        for a database that is not named as ours are, where the account has no rights.

        Raises CentralUnavailable, SecretUnreadable.
        """
        return self._target(await self._accounts(None), role, host, port, database)

    @asynccontextmanager
    async def open(
        self, role: Role, host: str, port: int, database: str | None, faults: Faults
    ) -> AsyncIterator[Connection]:
        """A connection to what `target` says, for the block.

        Raises what `target` raises, and what `faults` makes of what is in the way.
        """
        known = await self._accounts(None)
        target = self._target(known, role, host, port, database)
        async with AsyncExitStack() as stack:
            try:
                conn = await stack.enter_async_context(direct(target, self.limits, faults))
            except (TenantRefused, ServerRefused):
                newer = self._target(await self._accounts(known), role, host, port, database)
                if newer == target:
                    raise
                conn = await stack.enter_async_context(direct(newer, self.limits, faults))
            yield conn

    def _target(
        self, known: _Accounts, role: Role, host: str, port: int, database: str | None
    ) -> Target:
        found = known.get((host, port, role))
        if found is None or (database is not None and not database.startswith(_OURS)):
            return admin_target(self.settings, host, port, database)
        return found.target(self._keyring, database)

    async def _accounts(self, refused: _Accounts | None) -> _Accounts:
        """Newer than those that were refused: who waited while another task read takes its."""
        async with self._reading:
            if self._known is None or self._known is refused:
                self._known = await self._read()
            return self._known

    async def _read(self) -> _Accounts:
        async with direct(central_target(self.settings), self.limits, CentralFaults()) as conn:
            try:
                found = await Servers(conn).accounts()
            except NotMigrated:
                return {}  # a central database of an earlier release
        return {(one.host, one.port, one.role): one for one in found}

"""Looks at the database servers that hold dealers, side by side. Called by `.run`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from schema.errors import HelixError, SecretUnreadable, ServerRefused
from tenancy.admin import admin_target
from tenancy.direct import direct
from tenancy.faults import ServerFaults
from tenancy.lease import Connection
from tenancy.server_settings import judge, read_variables
from tenancy.servers import Account, Role
from tenancy.settings import TenancySettings
from tenancy.target import Limits, is_loopback
from worker.doctor import grants
from worker.doctor.registry import Central
from worker.doctor.values import Finding, Level, of_clock, red, warning

_NOW = "SELECT UTC_TIMESTAMP(6)"

Address = tuple[str, int]


async def look(
    settings: TenancySettings, central: Central, *, workers: int
) -> tuple[list[Finding], frozenset[Address]]:
    """What is wrong, and the servers that do not answer: nothing more needs to be asked of them."""
    homes: dict[Address, dict[str, str]] = {
        (settings.db_host, settings.db_port): {},
    }
    for row in central.empresas:
        if row.place is not None:
            address = row.place.host, row.place.port
            homes.setdefault(address, {})[row.place.user] = row.place.database
    async with asyncio.TaskGroup() as group:
        looks = {
            address: group.create_task(_Look(settings, central, address, users, workers).findings())
            for address, users in homes.items()
        }
    findings = [one for look in looks.values() for one in look.result()]
    silent = {one.subject for one in findings if one.kind == "server_silent"}
    return findings, frozenset(address for address in homes if _name(address) in silent)


class _Look:
    """One server."""

    def __init__(
        self,
        settings: TenancySettings,
        central: Central,
        address: Address,
        homes: dict[str, str],
        workers: int,
    ) -> None:
        self._settings = settings
        self._central = central
        self._address = address
        self._homes = homes
        self._workers = workers
        self._subject = _name(address)

    async def findings(self) -> list[Finding]:
        """Never raises for a server that is away or refuses us: that is a finding, too."""
        try:
            async with self._way_in() as conn:
                found = await self._settings_there(conn)
                found += await grants.look(conn, self._subject, self._homes)
        except HelixError as error:
            return [self._closed(error)]
        if self._homes and self._address not in self._central.ready:
            found.append(
                warning(
                    "not_set_up",
                    self._subject,
                    "`helix host setup` has not been run to its end there",
                    why="dealers are created and migrated by one user that may do everything",
                    mend=f"helix host setup {self._subject}",
                )
            )
        return found

    @asynccontextmanager
    async def _way_in(self) -> AsyncIterator[Connection]:
        """As administrator; where he is not let in, as the account that creates dealers."""
        host, port = self._address
        limits, faults = Limits.of(self._settings), ServerFaults(host, port)
        target = admin_target(self._settings, host, port, None)
        own = self._account(Role.PROVISIONER)
        try:
            async with direct(target, limits, faults):
                pass
        except ServerRefused:
            if own is None:
                raise
            target = own.target(self._settings.keyring())
        async with direct(target, limits, faults) as conn:
            yield conn

    def _account(self, role: Role) -> Account | None:
        for one in self._central.accounts:
            if (one.host, one.port) == self._address and one.role is role:
                return one
        return None

    async def _settings_there(self, conn: Connection) -> list[Finding]:
        before = time.time()
        ((now,),) = await conn.fetch_all(_NOW)
        here = (before + time.time()) / 2
        theirs = datetime.fromisoformat(str(now)).replace(tzinfo=UTC).timestamp()
        judged = judge(
            await read_variables(conn),
            self._settings,
            dealers=len(self._homes),
            workers=self._workers,
            remote=not is_loopback(self._address[0]),
        )
        return [
            *of_clock(self._subject, theirs - here),
            *(
                Finding(
                    level=Level.RED if one.is_bad else Level.WARNING,
                    kind=f"server_{one.name}",
                    subject=self._subject,
                    what=one.what,
                    why=one.why,
                    mend=f"in its configuration: {one.want}",
                )
                for one in judged
            ),
        ]

    def _closed(self, error: HelixError) -> Finding:
        if isinstance(error, ServerRefused | SecretUnreadable):
            return warning(
                "server_refuses",
                self._subject,
                str(error),
                why="its rights and settings cannot be looked at, and no dealer created there",
                mend=f"helix host setup {self._subject} --admin-user ...",
            )
        dealers = len(self._homes)
        return red(
            "server_silent",
            self._subject,
            str(error),
            why=f"the buyers of {dealers} dealers wait (their events are kept)",
            mend="start the server, or mend the way to it; work goes on by itself",
        )


def _name(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

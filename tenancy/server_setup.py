"""Makes a database server safe for dealers, step by step. Used by `helix host setup`.

Each step looks first and may be repeated; a run that was killed is continued by running it again.
Where we lack a right, the step says what whoever runs the server has to do. No database with
anything in it is ever dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from schema.errors import HelixError, ServerRefused, Transient
from tenancy import server_accounts, server_strangers
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.faults import CentralFaults, ServerFaults
from tenancy.lease import Connection
from tenancy.migrate import migrate_central
from tenancy.server_settings import Judged, is_old, judge, read_variables
from tenancy.server_steps import State, Step, Steps
from tenancy.servers import Role, Servers
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target, is_loopback, tls_context

_CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"
_SET = "SET GLOBAL {} = {}"
_AT_RUN_TIME = frozenset({"innodb_flush_log_at_trx_commit", "sync_binlog", "local_infile"})


class ServerSetup:
    """One server, as whoever `admin` logs in as."""

    def __init__(
        self,
        settings: TenancySettings,
        admin: Target,
        *,
        plan: bool = False,
        dealers: int = 0,
        workers: int = 1,
        report: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self._settings = settings
        self._admin = admin
        self._plan = plan
        self._steps = Steps(plan=plan, report=report)
        self._dealers = dealers
        self._workers = workers
        self._limits = Limits.of(settings)
        self._keyring = settings.keyring()

    async def run(self) -> list[Step]:
        """All steps. Raises ServerUnavailable, ServerRefused (we are not let in, or it is too old
        to be used), CentralUnavailable."""
        if not self._plan:
            await migrate_central(self._settings)
        host, port = self._admin.host, self._admin.port
        async with direct(self._admin, self._limits, ServerFaults(host, port)) as conn:
            found = await read_variables(conn)
            version = found.get("version", "")
            if is_old(version):
                raise ServerRefused(host, port, f"{version} is too old: MariaDB 10.6, MySQL 8.0")
            await self._transport(conn)
            await server_strangers.anonymous(conn, self._steps)
            await server_strangers.open_databases(conn, self._steps)
            await self._variables(conn, found)
            await self._accounts(conn)
        if not self._plan and not self._steps.is_bad:
            async with self._servers() as servers:
                await servers.ready(host, port, version)
        return self._steps.all

    async def _transport(self, conn: Connection) -> None:
        (row,) = await conn.fetch_all(_CIPHER)
        if row[1]:
            self._steps.add("tls", State.OK, f"the way there is encrypted ({row[1]})")
        elif is_loopback(self._admin.host):
            self._steps.add("tls", State.OK, "the way there does not leave this machine")
        else:
            self._steps.add(
                "tls",
                State.CONFIGURE,
                "buyers' words and passwords go over the network in clear",
                why="TENANCY_TLS=off",
                do="ssl_cert and ssl_key at the server, TENANCY_TLS=verify-full here",
                is_bad=True,
            )

    async def _variables(self, conn: Connection, found: Mapping[str, str]) -> None:
        judged = judge(
            found,
            self._settings,
            dealers=self._dealers,
            workers=self._workers,
            remote=not is_loopback(self._admin.host),
        )
        for one in judged:
            if one.now is None or one.name not in _AT_RUN_TIME:
                self._configure(one)
            else:
                await self._set(conn, one)
        if not judged:
            self._steps.add("settings", State.OK, "all as they should be")

    async def _set(self, conn: Connection, one: Judged) -> None:
        """Only until its next start: so the line for the file is told as well."""
        if self._plan:
            self._steps.add(one.name, State.WOULD, one.what, why=one.why, do=f"sets {one.want}")
            return
        try:
            await conn.execute(_SET.format(one.name, one.now))
        except HelixError as error:
            if isinstance(error, Transient):
                raise
            self._configure(one)
        else:
            do = f"set until the server's next start; for good: {one.want}"
            self._steps.add(one.name, State.CONFIGURE, one.what, why=one.why, do=do)

    def _configure(self, one: Judged) -> None:
        self._steps.add(
            one.name, State.CONFIGURE, one.what, why=one.why, do=one.want, is_bad=one.is_bad
        )

    async def _accounts(self, conn: Connection) -> None:
        if not self._plan:
            async with self._servers() as servers:
                await servers.begin(self._admin.host, self._admin.port)
        for role in Role:
            try:
                await self._account(conn, role)
            except HelixError as error:
                if isinstance(error, Transient):
                    raise
                self._steps.add(
                    f"user {role.user}",
                    State.ASK,
                    f"we may not make it or give it its rights ({error})",
                    why="until then PROVISION_DB_USER does this work",
                    do=server_accounts.to_ask(role),
                )

    async def _account(self, conn: Connection, role: Role) -> None:
        host, port = self._admin.address
        known = None
        if not (self._plan and await self._is_new()):
            async with self._servers() as servers:
                known = await servers.account(host, port, role)
        if known is None and await server_accounts.is_strange(conn, role):
            raise ServerRefused(
                host, port, f"{role.user} is there and not ours: rename it, or drop it"
            )
        opened = known is not None and await server_accounts.opens(
            known, self._keyring, self._limits
        )
        if self._plan:
            state = State.OK if opened else State.WOULD
            self._steps.add(f"user {role.user}", state, "gets in" if opened else "is to be made")
            return
        async with self._servers() as servers:
            account = known or await servers.reserve(self._keyring, host, port, role)
        tls = tls_context(host, self._limits) is not None
        await server_accounts.make(conn, account, self._keyring, tls=tls)
        if not await server_accounts.opens(account, self._keyring, self._limits):
            raise ServerRefused(host, port, f"{role.user} is made and does not get in")
        self._steps.add(f"user {role.user}", State.OK if opened else State.DONE, "has its rights")

    async def _is_new(self) -> bool:
        """Whether the central database knows no servers yet: a plan does not migrate it."""
        async with self._central() as conn:
            rows = await conn.fetch_all("SHOW TABLES LIKE 'contas_servidor'")
        return not rows

    @asynccontextmanager
    async def _central(self) -> AsyncIterator[Connection]:
        async with direct(central_target(self._settings), self._limits, CentralFaults()) as conn:
            yield conn

    @asynccontextmanager
    async def _servers(self) -> AsyncIterator[Servers]:
        async with self._central() as conn:
            yield Servers(conn)

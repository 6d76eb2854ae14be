"""Makes a database server safe for dealers, step by step. Used by `helix host setup`.

Each step looks first and may be repeated; a run that was killed is continued by running it again.
Where we lack a right, the step says what whoever runs the server has to do. No database with
anything in it is ever dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from schema.errors import HelixError, ServerRefused, Transient
from tenancy import server_accounts
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.faults import CentralFaults, ServerFaults
from tenancy.lease import Connection
from tenancy.migrate import migrate_central
from tenancy.names import quoted
from tenancy.server_settings import Judged, is_old, judge, read_variables
from tenancy.servers import Role, Servers
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target, is_loopback, tls_context

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
_CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"
_SET = "SET GLOBAL {} = {}"
_AT_RUN_TIME = frozenset({"innodb_flush_log_at_trx_commit", "sync_binlog", "local_infile"})


class State(StrEnum):
    """What came of a step."""

    OK = "ok"
    DONE = "done"
    WOULD = "would"
    """Only planned."""
    ASK = "ask"
    """We may not: somebody else has to."""
    CONFIGURE = "configure"
    """A line for the server's configuration file."""

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done by a person."""
        return self in (State.ASK, State.CONFIGURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was looked at. Holds no secret: it is printed."""

    name: str
    state: State
    what: str
    why: str | None = None
    do: str | None = None
    is_bad: bool = False
    """It is left open, and data or isolation are in danger."""


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
        self._dealers = dealers
        self._workers = workers
        self._report = report
        self._limits = Limits.of(settings)
        self._keyring = settings.keyring()
        self._steps: list[Step] = []

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
            await self._anonymous(conn)
            await self._open_databases(conn)
            await self._variables(conn, found)
            await self._accounts(conn)
        if not self._plan and not any(step.is_bad for step in self._steps):
            async with self._servers() as servers:
                await servers.ready(host, port, version)
        return self._steps

    async def _transport(self, conn: Connection) -> None:
        (row,) = await conn.fetch_all(_CIPHER)
        if row[1]:
            self._add("tls", State.OK, f"the way there is encrypted ({row[1]})")
        elif is_loopback(self._admin.host):
            self._add("tls", State.OK, "the way there does not leave this machine")
        else:
            self._add(
                "tls",
                State.CONFIGURE,
                "buyers' words and passwords go over the network in clear",
                why="TENANCY_TLS=off",
                do="ssl_cert and ssl_key at the server, TENANCY_TLS=verify-full here",
                is_bad=True,
            )

    async def _anonymous(self, conn: Connection) -> None:
        async def look() -> list[str]:
            return [str(host) for (host,) in await conn.fetch_all(_ANONYMOUS)]

        async def drop(hosts: list[str]) -> None:
            for host in hosts:
                await conn.execute(_DROP_USER, {"user": "", "host": host})

        await self._mend(
            "anonymous users",
            look,
            drop,
            why="they log in without a name or a password",
            ask="for each row of SELECT Host FROM mysql.user WHERE User = '': DROP USER ''@'host'",
        )

    async def _open_databases(self, conn: Connection) -> None:
        async def look() -> list[str]:
            (row,) = await conn.fetch_all(_OPEN_TO_ALL)
            return [f"{row[0]} rows of mysql.db"] if row[0] else []

        async def close(_found: list[str]) -> None:
            await conn.execute(_CLOSE)
            await conn.execute(_FLUSH)

        await self._mend(
            "rights of everybody",
            look,
            close,
            why="whoever has any account may read and write databases named test...",
            ask=f"{_CLOSE}; {_FLUSH}",
        )
        await self._test_databases(conn)

    async def _test_databases(self, conn: Connection) -> None:
        rows = await conn.fetch_all(_TEST)
        full = [str(name) for name, tables in rows if tables]
        empty = [str(name) for name, tables in rows if not tables]

        async def look() -> list[str]:
            return empty

        async def drop(names: list[str]) -> None:
            for name in names:
                await conn.execute(f"DROP DATABASE {quoted(name)}")

        await self._mend(
            "test databases",
            look,
            drop,
            why="a default server opens databases of such names to everybody",
            ask="DROP DATABASE test",
        )
        if full:
            self._add(
                "test databases",
                State.ASK,
                f"{', '.join(full)} has tables and stays",
                why="it may be somebody's",
                do="look what is in it; drop or rename it by hand",
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
            self._add("settings", State.OK, "all as they should be")

    async def _set(self, conn: Connection, one: Judged) -> None:
        """Only until its next start: so the line for the file is told as well."""
        if self._plan:
            self._add(one.name, State.WOULD, one.what, why=one.why, do=f"sets {one.want}")
            return
        try:
            await conn.execute(_SET.format(one.name, one.now))
        except HelixError as error:
            if isinstance(error, Transient):
                raise
            self._configure(one)
        else:
            do = f"set until the server's next start; for good: {one.want}"
            self._add(one.name, State.CONFIGURE, one.what, why=one.why, do=do)

    def _configure(self, one: Judged) -> None:
        self._add(one.name, State.CONFIGURE, one.what, why=one.why, do=one.want, is_bad=one.is_bad)

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
                self._add(
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
            self._add(f"user {role.user}", state, "gets in" if opened else "is to be made")
            return
        async with self._servers() as servers:
            account = known or await servers.reserve(self._keyring, host, port, role)
        tls = tls_context(host, self._limits) is not None
        await server_accounts.make(conn, account, self._keyring, tls=tls)
        if not await server_accounts.opens(account, self._keyring, self._limits):
            raise ServerRefused(host, port, f"{role.user} is made and does not get in")
        self._add(f"user {role.user}", State.OK if opened else State.DONE, "has its rights")

    async def _is_new(self) -> bool:
        """Whether the central database knows no servers yet: a plan does not migrate it."""
        async with self._central() as conn:
            rows = await conn.fetch_all("SHOW TABLES LIKE 'contas_servidor'")
        return not rows

    async def _mend(
        self,
        name: str,
        look: Callable[[], Awaitable[list[str]]],
        mend: Callable[[list[str]], Awaitable[None]],
        *,
        why: str,
        ask: str,
    ) -> None:
        """Something that should not be there: gone, or told whom to ask."""
        try:
            found = await look()
            if found and not self._plan:
                await mend(found)
        except HelixError as error:
            if isinstance(error, Transient):
                raise
            text = f"we may not look or change it ({error})"
            self._add(name, State.ASK, text, why=why, do=ask, is_bad=True)
            return
        if not found:
            self._add(name, State.OK, "none")
        elif self._plan:
            self._add(name, State.WOULD, f"would go: {', '.join(found)}", why=why)
        else:
            self._add(name, State.DONE, f"gone: {', '.join(found)}", why=why)

    def _add(
        self,
        name: str,
        state: State,
        what: str,
        *,
        why: str | None = None,
        do: str | None = None,
        is_bad: bool = False,
    ) -> None:
        step = Step(name=name, state=state, what=what, why=why, do=do, is_bad=is_bad)
        self._steps.append(step)
        self._report(step)

    @asynccontextmanager
    async def _central(self) -> AsyncIterator[Connection]:
        async with direct(central_target(self._settings), self._limits, CentralFaults()) as conn:
            yield conn

    @asynccontextmanager
    async def _servers(self) -> AsyncIterator[Servers]:
        async with self._central() as conn:
            yield Servers(conn)

"""Brings one database to the schema of this release, step by step.

Called by `tenancy` while provisioning and by `helix migrate`. It may be run again and again, by two
at once, and may be killed between any two statements: MariaDB and MySQL commit DDL by themselves,
so each step is guarded by the schema as it is and records itself in the table `_migrations`.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schema.errors import (
    BadData,
    DuplicateKey,
    MigrationChanged,
    MigrationFailed,
    MigrationLocked,
    NotMigrated,
    StatementRefused,
    TryAgain,
)
from schema.guards import MigrationConnection, is_needless
from schema.snapshot import LEDGER, Snapshot
from schema.steps import Step, Version

_LEDGER = """
    CREATE TABLE IF NOT EXISTS _migrations (
        version INT NOT NULL,
        step INT NOT NULL,
        checksum CHAR(64) CHARACTER SET ascii NOT NULL,
        state ENUM('executando','feito') NOT NULL,
        started_at DATETIME(3) NOT NULL,
        finished_at DATETIME(3) NULL,
        PRIMARY KEY (version, step)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
"""
_LEDGER_THERE = """
    SELECT DATABASE(), COUNT(*) FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name = '_migrations'
"""
_RECORDED = """
    SELECT version, step, checksum, state FROM _migrations WHERE version >= %(since)s
"""
_BEGIN = """
    INSERT INTO _migrations (version, step, checksum, state, started_at)
    VALUES (%(version)s, %(step)s, %(checksum)s, 'executando', UTC_TIMESTAMP(3))
    ON DUPLICATE KEY UPDATE checksum = %(checksum)s, started_at = UTC_TIMESTAMP(3)
"""
_DONE = """
    UPDATE _migrations SET state = 'feito', finished_at = UTC_TIMESTAMP(3)
     WHERE version = %(version)s AND step = %(step)s
"""
_NEEDLESS = """
    INSERT INTO _migrations (version, step, checksum, state, started_at, finished_at)
    VALUES (%(version)s, %(step)s, %(checksum)s, 'feito', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
    ON DUPLICATE KEY UPDATE checksum = %(checksum)s, state = 'feito',
           finished_at = UTC_TIMESTAMP(3)
"""
_IS_NEW = """
    SELECT VERSION() LIKE '%%MariaDB%%' AND COUNT(*) = 0 FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name <> %(ledger)s
"""
_ALL_DONE = """
    INSERT INTO _migrations (version, step, checksum, state, started_at, finished_at) VALUES
"""
_ONE_DONE = "(%s, %s, %s, 'feito', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))"
_LOCK = "SELECT GET_LOCK(%(name)s, %(wait_s)s)"
_HOLDER = "SELECT IS_USED_LOCK(%(name)s)"
_UNLOCK = "SELECT RELEASE_LOCK(%(name)s)"
_LOCK_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What a run did to one database."""

    database: str
    version: int
    """The version that the database has now."""
    steps: int
    """Steps recorded by this run; 0 when there was nothing to do."""


class Migrator:
    """Applies versions to the database that a connection has selected."""

    def __init__(
        self,
        conn: MigrationConnection,
        versions: Sequence[Version],
        *,
        snapshot: Snapshot | None = None,
        lock_wait_s: float = 30.0,
    ) -> None:
        """`snapshot`: what an empty database is made from in one go, if it stands for `versions`
        (its statements are MariaDB's; elsewhere the steps are gone)."""
        self._conn = conn
        self._versions = versions
        fits = snapshot is not None and snapshot.stands_for(versions)
        self._snapshot = snapshot if fits else None
        self._lock_wait_s = lock_wait_s

    async def run(self) -> Migrated:
        """Applies what is missing.

        Raises MigrationChanged, MigrationFailed, MigrationLocked. After an error the connection
        must be closed: the lock ends with it.
        """
        database, has_ledger = await self._database()
        since = 0
        if has_ledger:
            lacks = await self._missing()
            if not lacks:
                return self._result(database, 0)
            since = lacks[0][0].number  # nothing takes back what was recorded before it
        lock = lock_name(database)
        if not await self._value(_LOCK, {"name": lock, "wait_s": self._lock_wait_s}):
            holder = await self._value(_HOLDER, {"name": lock})
            raise MigrationLocked(
                f"database {database} is being migrated by someone else (connection {holder} of "
                "its server); run this again later"
            )
        if not has_ledger:
            await self._conn.execute(_LEDGER)
        missing = await self._missing(since)
        if self._snapshot is not None and self._is_all(missing) and await self._is_new():
            await self._make_from(self._snapshot, missing)
        else:
            for version, step in missing:
                await self._apply(version, step)
        await self._value(_UNLOCK, {"name": lock})
        return self._result(database, len(missing))

    async def missing(self) -> int:
        """How many steps this database lacks. Raises MigrationChanged."""
        return len(await self.missing_steps())

    async def missing_steps(self) -> list[tuple[Version, Step]]:
        """The steps that this database lacks, in their order. Raises MigrationChanged."""
        if not (await self._database())[1]:
            return [(version, step) for version in self._versions for step in version.steps]
        return await self._missing()

    def _result(self, database: str, steps: int) -> Migrated:
        return Migrated(database=database, version=self._versions[-1].number, steps=steps)

    async def _database(self) -> tuple[str, bool]:
        """Its name, and whether it has a ledger."""
        ((name, has_ledger),) = await self._conn.fetch_all(_LEDGER_THERE)
        if not isinstance(name, str):
            raise MigrationFailed("the connection has no database selected")
        return name, bool(has_ledger)

    def _is_all(self, missing: Sequence[tuple[Version, Step]]) -> bool:
        return len(missing) == sum(len(version.steps) for version in self._versions)

    async def _is_new(self) -> bool:
        return bool(await self._value(_IS_NEW, {"ledger": LEDGER}))

    async def _missing(self, since: int = 0) -> list[tuple[Version, Step]]:
        """Of the versions from this number on."""
        recorded = await self._recorded(since)
        known = [version for version in self._versions if version.number >= since]
        for version in known:
            self._compare(version, recorded)
        return [
            (version, step)
            for version in known
            for step in version.steps
            if (version.number, step.number) not in recorded
        ]

    async def _recorded(self, since: int) -> dict[tuple[int, int], str]:
        """Checksums of the steps that are done. Those of newer releases are of no concern."""
        try:
            rows = await self._conn.fetch_all(_RECORDED, {"since": since})
        except NotMigrated as error:
            raise MigrationFailed(
                "the table _migrations belongs to another tool; rename it and run this again"
            ) from error
        return {(row[0], row[1]): row[2] for row in rows if row[3] == "feito"}

    def _compare(self, version: Version, recorded: Mapping[tuple[int, int], str]) -> None:
        known = {(version.number, step.number): step.checksum for step in version.steps}
        for key, checksum in recorded.items():
            if key[0] == version.number and known.get(key) != checksum:
                raise MigrationChanged(
                    f"step {key[1]} of migration {version.number:04}_{version.name} was applied "
                    "with another text than this release has; restore that file as it was and "
                    "put the change into a migration of its own"
                )

    async def _make_from(self, snapshot: Snapshot, missing: Sequence[tuple[Version, Step]]) -> None:
        """Killed in between, it leaves whole tables: the steps' guards find them as they end."""
        for statement in snapshot.statements:
            await self._conn.execute(statement)
        values = [
            value
            for version, step in missing
            for value in (version.number, step.number, step.checksum)
        ]
        await self._conn.execute(_ALL_DONE + ",".join([_ONE_DONE] * len(missing)), values)

    async def _apply(self, version: Version, step: Step) -> None:
        mark = {"version": version.number, "step": step.number, "checksum": step.checksum}
        if await is_needless(self._conn, version, step):
            await self._conn.execute(_NEEDLESS, mark)
            return
        await self._conn.execute(_BEGIN, mark)
        await self._run_step(version, step)
        await self._conn.execute(_DONE, mark)

    async def _run_step(self, version: Version, step: Step) -> None:
        """Runs the statement; a lock in the way is waited for a few times.

        A waiting ALTER makes every later reader of its table wait too, so the connection's
        lock_wait_timeout is short and it is the migrator that comes back.
        """
        for attempt in range(1, _LOCK_TRIES + 1):
            try:
                await self._conn.execute(step.sql)
            except TryAgain:
                if attempt == _LOCK_TRIES:
                    raise
                await asyncio.sleep(random.uniform(0.05, 0.1) * 2**attempt)
            except (StatementRefused, BadData, DuplicateKey, NotMigrated) as error:
                detail = getattr(error, "detail", str(error).partition(";")[0])
                raise MigrationFailed(
                    f"step {step.number} of migration {version.number:04}_{version.name} "
                    f"({step.sql.splitlines()[0].rstrip(' (')}): {detail}"
                ) from error
            else:
                return

    async def _value(self, sql: str, params: Mapping[str, object]) -> object:
        rows = await self._conn.fetch_all(sql, params)
        return rows[0][0]


def lock_name(database: str) -> str:
    """GET_LOCK takes 64 characters at most, and one namespace serves the whole server."""
    if len(database) > 57:
        database = hashlib.sha256(database.encode()).hexdigest()[:40]
    return f"hx:mig:{database}"

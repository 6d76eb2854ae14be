"""Migrations: again and again, by two at once, killed anywhere, over databases that have data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from dev.servers import MariaDB
from dev.snapshot import FILE, text_from
from schema.errors import MigrationChanged, MigrationFailed, MigrationLocked
from schema.guards import Params
from schema.migrator import Migrator
from schema.snapshot import Snapshot, snapshot
from schema.steps import Kind, Step, Version, versions
from tenancy.direct import direct
from tenancy.faults import CentralFaults
from tenancy.lease import Connection
from tenancy.target import Limits, Target

TENANT = versions(Kind.TENANT)
STEPS = sum(len(version.steps) for version in TENANT)
SHAPE = """
    SELECT table_name, column_name, column_type, is_nullable, collation_name, column_default
      FROM information_schema.columns WHERE table_schema = DATABASE()
     ORDER BY table_name, ordinal_position
"""
INDEXES = """
    SELECT table_name, index_name, non_unique, column_name
      FROM information_schema.statistics WHERE table_schema = DATABASE()
     ORDER BY table_name, index_name, seq_in_index
"""


class _Killed(BaseException):
    """What a kill looks like from within."""


class _Dying:
    """A connection whose process is killed after its n-th statement: before the next one."""

    def __init__(self, conn: Connection, *, lives: int) -> None:
        self._conn = conn
        self._lives = lives

    async def fetch_all(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """See MigrationConnection."""
        rows = await self._conn.fetch_all(sql, params)
        self._live()
        return rows

    async def execute(self, sql: str, params: Params = ()) -> int:
        """See MigrationConnection."""
        count = await self._conn.execute(sql, params)
        self._live()
        return count

    def _live(self) -> None:
        self._lives -= 1
        if self._lives == 0:
            raise _Killed


@asynccontextmanager
async def _open(mariadb: MariaDB, name: str) -> AsyncIterator[Connection]:
    target = Target(
        host=mariadb.host,
        port=mariadb.port,
        user=mariadb.user,
        password=mariadb.password,
        database=name,
    )
    async with direct(target, Limits(), CentralFaults()) as conn:
        yield conn


async def _shape(mariadb: MariaDB, name: str) -> tuple[object, object, object]:
    async with _open(mariadb, name) as conn:
        return (
            await conn.fetch_all(SHAPE),
            await conn.fetch_all(INDEXES),
            await conn.fetch_all("SELECT version, step, checksum, state FROM _migrations"),
        )


async def _migrate(
    mariadb: MariaDB, name: str, found: Sequence[Version] = TENANT, *, lock_wait_s: float = 30
) -> int:
    async with _open(mariadb, name) as conn:
        return (await Migrator(conn, found, lock_wait_s=lock_wait_s).run()).steps


@pytest.mark.parametrize("kind", list(Kind))
async def test_an_empty_database_gets_everything_once(mariadb: MariaDB, kind: Kind) -> None:
    """All steps, then none; the version says where the database is."""
    async with mariadb.database() as name, _open(mariadb, name) as conn:
        migrator = Migrator(conn, versions(kind))
        assert await migrator.missing() == sum(len(version.steps) for version in versions(kind))
        first = await migrator.run()
        second = await migrator.run()

        assert await migrator.missing() == 0
    assert first.steps == sum(len(version.steps) for version in versions(kind))
    assert (second.steps, second.version) == (0, versions(kind)[-1].number)


async def test_two_at_once_do_it_once(mariadb: MariaDB) -> None:
    """The second waits for the first and finds nothing to do."""
    async with mariadb.database() as name:
        done = await asyncio.gather(*(_migrate(mariadb, name) for _ in range(2)))

    assert sorted(done) == [0, STEPS]


async def test_a_migrator_that_takes_too_long_is_not_waited_for(mariadb: MariaDB) -> None:
    """The error says to come back later; nothing was done."""
    async with mariadb.database() as name, _open(mariadb, name) as other:
        await other.fetch_all("SELECT GET_LOCK(%s, 0)", (f"hx:mig:{name}",))
        with pytest.raises(MigrationLocked, match="later"):
            await _migrate(mariadb, name, lock_wait_s=0.01)
        assert await other.fetch_all("SHOW TABLES") == []


async def test_the_snapshot_is_that_of_the_migrations(mariadb: MariaDB) -> None:
    """`make snapshot` renews it: a new dealer's database is that of one who was there all along."""
    assert FILE.read_text(encoding="utf-8") == await text_from(mariadb)


@pytest.mark.parametrize("short_cut", [None, snapshot(Kind.TENANT)], ids=["steps", "snapshot"])
async def test_a_kill_between_any_two_statements_is_resumed(
    mariadb: MariaDB, short_cut: Snapshot | None
) -> None:
    """For every statement n: killed at n and run again, the end state is the same, and the same
    that the steps alone lead to."""
    async with mariadb.database() as name:
        await _migrate(mariadb, name)
        whole = await _shape(mariadb, name)

    lives, killed = 1, True
    while killed:
        async with mariadb.database() as name:
            killed = False
            try:
                async with _open(mariadb, name) as conn:
                    dying = _Dying(conn, lives=lives)
                    await Migrator(dying, TENANT, snapshot=short_cut).run()
            except _Killed:
                killed = True
                await _migrate(mariadb, name)
            assert await _shape(mariadb, name) == whole
        lives += 1
    assert lives > (STEPS * 3 if short_cut is None else len(short_cut.statements))


async def test_a_snapshot_of_other_migrations_is_not_used(mariadb: MariaDB) -> None:
    """One that is behind would leave out what is new: then the steps are gone, one by one."""
    made = snapshot(Kind.TENANT)
    assert made is not None
    stale = replace(made, digest="0" * 64, statements=("CREATE TABLE wrong (id INT)",))
    async with mariadb.database() as name:
        async with _open(mariadb, name) as conn:
            await Migrator(conn, TENANT, snapshot=stale).run()
        assert ("cars",) in await _tables(mariadb, name)
        assert ("wrong",) not in await _tables(mariadb, name)


async def test_a_database_that_has_a_table_goes_the_steps(mariadb: MariaDB) -> None:
    """Whatever it is: the steps' guards look before they touch."""
    async with mariadb.database() as name, _open(mariadb, name) as conn:
        await conn.execute(TENANT[0].steps[0].sql)
        await conn.execute("INSERT INTO cars (brand) VALUES ('Fiat')")
        await Migrator(conn, TENANT, snapshot=snapshot(Kind.TENANT)).run()
        assert await conn.fetch_all("SELECT brand FROM cars") == [("Fiat",)]


async def _tables(mariadb: MariaDB, name: str) -> list[tuple[Any, ...]]:
    async with _open(mariadb, name) as conn:
        return await conn.fetch_all("SHOW TABLES")


async def test_one_kill_after_another_still_arrives(mariadb: MariaDB) -> None:
    """A machine that dies again and again gets further each time."""
    async with mariadb.database() as name:
        for _ in range(200):
            try:
                async with _open(mariadb, name) as conn:
                    await Migrator(_Dying(conn, lives=9), TENANT).run()
            except _Killed:
                continue
            break
        else:
            pytest.fail("it never arrived")


async def test_an_existing_database_keeps_its_tables_and_rows(mariadb: MariaDB) -> None:
    """Taken over as it is: own tables, own columns and all rows stay; what is missing is added."""
    async with mariadb.database() as name, _open(mariadb, name) as conn:
        for step in TENANT[0].steps:
            await conn.execute(step.sql)
        await conn.execute("CREATE TABLE faturas (id INT)")
        await conn.execute("ALTER TABLE cars ADD COLUMN placa VARCHAR(8)")
        await conn.execute("INSERT INTO cars (brand, placa) VALUES ('Fiat', 'ABC1D23')")
        await conn.execute("INSERT INTO customers (phone, name) VALUES ('5541998765432', 'Ana')")
        await conn.execute("INSERT INTO conversations (customer_id) VALUES (1)")
        sql = "INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo) VALUES "
        await conn.execute(sql + "(1, 1, 'recebida', 'oi'), (1, 1, 'recebida', 'tem Argo?')")

        await Migrator(conn, TENANT).run()

        assert await conn.fetch_all("SELECT brand, placa FROM cars") == [("Fiat", "ABC1D23")]
        assert await conn.fetch_all("SELECT phone, name FROM customers") == [
            ("5541998765432", "Ana")
        ]
        assert await conn.fetch_all("SELECT conteudo, external_id, status FROM mensagens") == [
            ("oi", None, None),
            ("tem Argo?", None, None),
        ]
        assert await conn.fetch_all("SELECT id FROM faturas") == []


async def test_a_column_of_its_own_under_a_name_of_ours_stops(mariadb: MariaDB) -> None:
    """Nobody can tell what is in it: the error names it, nothing of that step is done."""
    async with mariadb.database() as name, _open(mariadb, name) as conn:
        for step in TENANT[0].steps:
            await conn.execute(step.sql)
        await conn.execute("ALTER TABLE mensagens ADD COLUMN external_id INT")

        with pytest.raises(MigrationFailed, match="external_id; rename"):
            await Migrator(conn, TENANT).run()


async def test_an_old_registry_keeps_its_rows_and_gets_room_for_sealed_passwords(
    mariadb: MariaDB,
) -> None:
    """A central database of an existing installation, in any of its stages."""
    async with mariadb.database() as name, _open(mariadb, name) as conn:
        await conn.execute(
            "CREATE TABLE empresas (id INT AUTO_INCREMENT PRIMARY KEY, nome VARCHAR(255) NOT NULL,"
            " bot_ativo BOOLEAN DEFAULT 1, db_name VARCHAR(100), db_password VARCHAR(255))"
        )
        await conn.execute("INSERT INTO empresas (nome, db_name) VALUES ('Loja', 'loja_db')")

        await Migrator(conn, versions(Kind.CENTRAL)).run()

        columns = "SELECT nome, db_name, db_host, db_port, status, versao FROM empresas"
        assert await conn.fetch_all(columns) == [("Loja", "loja_db", "localhost", 3306, "ativo", 1)]
        await conn.execute("UPDATE empresas SET db_password = %s", ("x" * 512,))


def _version(*statements: str) -> tuple[Version, ...]:
    steps = tuple(
        Step(number=number, sql=sql, guard=None) for number, sql in enumerate(statements, 1)
    )
    return (Version(number=1, name="cars", steps=steps),)


@pytest.mark.parametrize(
    "changed",
    [
        _version("CREATE TABLE a (id BIGINT)", "CREATE TABLE b (id INT)"),
        _version("CREATE TABLE a (id INT)"),
    ],
)
async def test_a_changed_migration_stops(mariadb: MariaDB, changed: tuple[Version, ...]) -> None:
    """An applied step with another text, or gone: the error names the file and what to do."""
    async with mariadb.database() as name:
        await _migrate(
            mariadb, name, _version("CREATE TABLE a (id INT)", "CREATE TABLE b (id INT)")
        )
        with pytest.raises(MigrationChanged, match=r"0001_cars.*migration of its own"):
            await _migrate(mariadb, name, changed)


async def test_a_step_that_failed_may_be_repaired(mariadb: MariaDB) -> None:
    """Only what was applied is fixed for ever; the error names step and cause."""
    async with mariadb.database() as name:
        with pytest.raises(MigrationFailed, match=r"step 2 of migration 0001_cars.*already exists"):
            await _migrate(
                mariadb, name, _version("CREATE TABLE a (id INT)", "CREATE TABLE a (x INT)")
            )
        assert await _migrate(
            mariadb, name, _version("CREATE TABLE a (id INT)", "CREATE TABLE b (x INT)")
        ) == 1  # fmt: skip


async def test_a_database_ahead_of_this_release_is_left_alone(mariadb: MariaDB) -> None:
    """A release works with the schema of the next one, so that it can be put back."""
    async with mariadb.database() as name:
        await _migrate(mariadb, name)
        assert await _migrate(mariadb, name, TENANT[:1]) == 0


async def test_a_ledger_of_another_tool_is_not_touched(mariadb: MariaDB) -> None:
    """A table of our ledger's name that is not ours stops the run before any change."""
    async with mariadb.database() as name, _open(mariadb, name) as conn:
        await conn.execute("CREATE TABLE _migrations (name VARCHAR(50))")
        with pytest.raises(MigrationFailed, match="another tool"):
            await Migrator(conn, TENANT).run()
        assert await conn.fetch_all("SHOW TABLES") == [("_migrations",)]

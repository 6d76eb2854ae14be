"""`helix host setup` on servers of its own: what it closes, what its accounts may, what it asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
import typer
from pydantic import SecretStr

from dev.fresh import fresh_settings
from dev.servers import MariaDB, extra_mariadb
from schema.errors import ServerRefused, StatementRefused
from tenancy import server_accounts
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import Profile
from tenancy.faults import CentralFaults, ServerFaults
from tenancy.fleet.run import FleetRun
from tenancy.fleet.values import RunState
from tenancy.migrate import migrate_central
from tenancy.provision import Provisioner
from tenancy.server_setup import ServerSetup
from tenancy.server_steps import State, Step
from tenancy.servers import Account, Role, Servers
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target
from tests.cli.helix import helix
from worker.cli.host import place_of


@pytest.fixture(scope="module")
def bare() -> Iterator[MariaDB]:
    """A server as an administrator finds it, for the tests of this file in turn."""
    with extra_mariadb(options=["--innodb-flush-log-at-trx-commit=2"]) as server:
        yield server.access


@pytest.fixture
async def settings(bare: MariaDB) -> AsyncIterator[TenancySettings]:
    """An installation whose central database is there as well; the server is bare again after."""
    yield fresh_settings(bare)
    await sql(bare, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    await sql(bare, "DELETE FROM mysql.db WHERE User = ''")
    for (name,) in await sql(bare, "SHOW DATABASES"):
        if name.startswith(("empresa", "helixai", "test", "outro")):
            await sql(bare, f"DROP DATABASE `{name}`")
    for user, host in await sql(bare, "SELECT User, Host FROM mysql.user WHERE User <> %s",
                                bare.user):  # fmt: skip
        if user not in ("mariadb.sys", "PUBLIC", "root", "mysql"):
            await sql(bare, "DROP USER %s@%s", user, host)


async def sql(server: MariaDB, statement: str, *params: object) -> list[tuple[Any, ...]]:
    """As administrator."""
    async with server.connect() as connection, connection.cursor() as cursor:
        await cursor.execute(statement, params or None)
        return list(await cursor.fetchall())


def admin(settings: TenancySettings) -> Target:
    return Target(host=settings.db_host, port=settings.db_port, user=settings.db_user,
                  password=settings.db_password, database=None)  # fmt: skip


async def set_up(settings: TenancySettings, *, plan: bool = False) -> dict[str, Step]:
    """The steps, by name; the last of a name counts."""
    return {
        step.name: step for step in await ServerSetup(settings, admin(settings), plan=plan).run()
    }


async def open_doors(server: MariaDB) -> None:
    """As a default installation has them."""
    await sql(server, "CREATE USER ''@'localhost'")
    await sql(server, "CREATE DATABASE test")
    row = "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES (%s, %s, '', 'Y')"
    await sql(server, row, "%", "test\\_%")
    await sql(server, "FLUSH PRIVILEGES")


async def account(settings: TenancySettings, role: Role) -> Account:
    async with direct(central_target(settings), Limits(), CentralFaults()) as conn:
        found = await Servers(conn).account(settings.db_host, settings.db_port, role)
    assert found is not None
    return found


async def as_role(
    settings: TenancySettings, role: Role, statement: str
) -> list[tuple[object, ...]]:
    """One statement as an account; with % written %."""
    target = (await account(settings, role)).target(settings.keyring())
    async with direct(target, Limits(), ServerFaults(target.host, target.port)) as conn:
        return await conn.fetch_all(statement)


async def test_open_doors_are_closed(bare: MariaDB, settings: TenancySettings) -> None:
    """Nobody without a name, no rights of everybody, no empty `test`; twice changes nothing."""
    await open_doors(bare)

    first = await set_up(settings)

    assert await sql(bare, "SELECT COUNT(*) FROM mysql.user WHERE User = ''") == [(0,)]
    assert await sql(bare, "SELECT COUNT(*) FROM mysql.db WHERE User = ''") == [(0,)]
    assert ("test",) not in await sql(bare, "SHOW DATABASES")
    for name in ("anonymous users", "rights of everybody", "test databases"):
        assert first[name].state is State.DONE, name
    again = await set_up(settings)
    assert {step.state for step in again.values()} <= {State.OK, State.CONFIGURE}


async def test_a_test_database_with_tables_stays(bare: MariaDB, settings: TenancySettings) -> None:
    """It may be somebody's: nothing with rows in it is dropped."""
    await sql(bare, "CREATE DATABASE test")
    await sql(bare, "CREATE TABLE test.clientes (id INT)")

    steps = await set_up(settings)

    assert steps["test databases"].state is State.ASK
    assert ("test",) in await sql(bare, "SHOW DATABASES")


async def test_a_plan_changes_nothing(bare: MariaDB, settings: TenancySettings) -> None:
    """Users, databases, settings and the registry are as before."""
    await open_doors(bare)
    await migrate_central(settings)
    looks = ("SELECT User, Host FROM mysql.user ORDER BY 1, 2", "SHOW DATABASES",
             "SELECT @@global.innodb_flush_log_at_trx_commit",
             "SELECT COUNT(*) FROM helixai_db.servidores")  # fmt: skip
    before = [await sql(bare, look) for look in looks]

    steps = await set_up(settings, plan=True)

    assert [await sql(bare, look) for look in looks] == before
    assert steps["user helix_migrator"].state is State.WOULD
    assert steps["anonymous users"].state is State.WOULD


async def test_commits_are_on_disk(bare: MariaDB, settings: TenancySettings) -> None:
    """The setting is mended at once, and the line that keeps it so is told."""
    steps = await set_up(settings)

    assert await sql(bare, "SELECT @@global.innodb_flush_log_at_trx_commit") == [(1,)]
    told = steps["innodb_flush_log_at_trx_commit"]
    assert told.state is State.CONFIGURE
    assert "innodb_flush_log_at_trx_commit=1" in str(told.do)


async def test_the_accounts_do_the_work_of_a_dealers_life(
    bare: MariaDB, settings: TenancySettings
) -> None:
    """Whoever runs `helix empresa create` and `helix migrate` needs no administrator any more."""
    await set_up(settings)
    await sql(bare, "CREATE USER 'so_central'@'%' IDENTIFIED BY 'uma-senha'")
    await sql(bare, "GRANT ALL ON helixai_db.* TO 'so_central'@'%'")
    humble = settings.model_copy(
        update={"db_user": "so_central", "db_password": SecretStr("uma-senha")}
    )

    row = await Provisioner(humble).create(7, Profile(nome="Auto Show"))
    report = await FleetRun(humble).start()

    assert row.status == "ativo"
    assert report.state is RunState.DONE
    grants = await sql(bare, "SHOW GRANTS FOR 'e7_app'@'%'")
    assert any(r"`empresa\_7\_db`" in grant for (grant,) in grants)


_FORBIDDEN = (
    (Role.MIGRATOR, "SELECT * FROM helixai_db.empresas"),
    (Role.MIGRATOR, "SELECT * FROM mysql.global_priv"),
    (Role.MIGRATOR, "CREATE USER 'outro'@'%'"),
    (Role.MIGRATOR, "CREATE DATABASE outro"),
    (Role.PROVISIONER, "SELECT * FROM mysql.global_priv"),
    (Role.PROVISIONER, "GRANT SELECT ON helixai_db.* TO 'e7_app'@'%'"),
    (Role.PROVISIONER, "GRANT DROP ON `empresa\\_7\\_db`.* TO 'e7_app'@'%'"),
    (Role.PROVISIONER, "DROP DATABASE empresa_7_db"),
    (Role.BACKUP, "UPDATE empresa_7_db.cars SET price = 0"),
    (Role.BACKUP, "SELECT * FROM helixai_db.empresas"),
    (Role.BACKUP, "SELECT * FROM empresaX7_db.cars"),
)


async def test_an_account_may_do_its_own_work_only(
    bare: MariaDB, settings: TenancySettings
) -> None:
    """One that is stolen opens neither the registry nor the server, and grants nothing more."""
    await set_up(settings)
    for name in ("empresa_7_db", "empresaX7_db"):
        await sql(bare, f"CREATE DATABASE {name}")
        await sql(bare, f"CREATE TABLE {name}.cars (id INT, price INT)")
    await sql(bare, "CREATE USER 'e7_app'@'%'")

    assert await as_role(settings, Role.BACKUP, "SELECT id FROM empresa_7_db.cars") == []
    for role, statement in _FORBIDDEN:
        with pytest.raises((ServerRefused, StatementRefused)):
            await as_role(settings, role, statement)


async def test_killed_anywhere_it_is_gone_on_with(bare: MariaDB, settings: TenancySettings) -> None:
    """After each of its statements in turn it ends; then it runs to its end, and all get in."""
    await migrate_central(settings)
    for after in (1, 6, 7):  # six steps are before the accounts, then one for each
        steps: list[Step] = []

        def stop(step: Step, limit: int = after, seen: list[Step] = steps) -> None:
            seen.append(step)
            if len(seen) >= limit:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await ServerSetup(settings, admin(settings), report=stop).run()
    # Stored, and the server does not have it yet.
    await sql(bare, "DROP USER 'helix_provisioner'@'%'")

    await set_up(settings)

    for role in Role:
        one = await account(settings, role)
        assert await server_accounts.opens(one, settings.keyring(), Limits()), role


async def test_an_account_of_somebody_else_is_left_alone(
    bare: MariaDB, settings: TenancySettings
) -> None:
    """A second installation on the server must not take over the first one's accounts."""
    await sql(bare, "CREATE USER 'helix_backup'@'%' IDENTIFIED BY 'de-outro'")
    before = await sql(bare, "SHOW CREATE USER 'helix_backup'@'%'")

    steps = await set_up(settings)

    assert steps["user helix_backup"].state is State.ASK
    assert await sql(bare, "SHOW CREATE USER 'helix_backup'@'%'") == before


async def test_a_managed_server_says_what_to_ask_for(
    bare: MariaDB, settings: TenancySettings
) -> None:
    """With few rights each step that fails names the statement, and nothing ends halfway."""
    await migrate_central(settings)
    await sql(bare, "CREATE USER 'gerente'@'%' IDENTIFIED BY 'g'")
    managed = Target(host=bare.host, port=bare.port, user="gerente", password=SecretStr("g"),
                     database=None)  # fmt: skip

    steps = {step.name: step for step in await ServerSetup(settings, managed).run()}

    assert steps["anonymous users"].state is State.ASK
    for role in Role:
        step = steps[f"user {role.user}"]
        assert step.state is State.ASK
        assert step.do is not None
        assert "GRANT" in step.do


async def test_no_password_is_ever_shown(bare: MariaDB, settings: TenancySettings) -> None:
    """Neither by the command nor in `list` and `show`; the registry holds it sealed."""
    env = environment(settings)

    ran = await helix("host", "setup", f"{bare.host}:{bare.port}", "--json", env=env)
    listed = await helix("host", "list", "--json", env=env)
    shown = await helix("host", "show", f"{bare.host}:{bare.port}", env=env)

    assert ran.code in (0, 1), ran.err
    assert {step["state"] for step in ran.json["steps"]} >= {"done"}
    passwords = [
        (await account(settings, role)).password(settings.keyring()).get_secret_value()
        for role in Role
    ]
    stored = str(await sql(bare, "SELECT * FROM helixai_db.contas_servidor"))
    printed = "".join(one.out + one.err for one in (ran, listed, shown)) + stored
    assert not [password for password in passwords if password in printed]
    assert listed.json[0]["accounts"] == "helix_backup, helix_migrator, helix_provisioner"
    assert "helix_backup" in shown.out


@pytest.mark.parametrize("address", ["db:0", "db:99999", "http://db", "a b", ""])
def test_a_wrong_address_is_told(address: str) -> None:
    """Before anything is opened."""
    with pytest.raises(typer.BadParameter, match="HOST"):
        place_of(address)


@pytest.mark.parametrize(
    ("address", "place"),
    [("db1", ("db1", 3306)), ("10.0.0.7:3307", ("10.0.0.7", 3307)), ("[::1]:5", ("::1", 5))],
)
def test_an_address(address: str, place: tuple[str, int]) -> None:
    """A name or a number, with a port or without."""
    assert place_of(address) == place


def environment(settings: TenancySettings) -> Mapping[str, str]:
    """For a child process; nobody listens at that Redis."""
    return {
        "DB_HOST": settings.db_host,
        "DB_PORT": str(settings.db_port),
        "DB_USER": settings.db_user,
        "DB_PASSWORD": settings.db_password.get_secret_value(),
        "DB_NAME": settings.db_name,
        "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
        "REDIS_URL": "redis://127.0.0.1:9/0",
    }

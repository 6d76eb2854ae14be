"""Giving an empresa its database."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from schema.errors import NotConfigured, TenantRefused, WrongTenant
from tenancy.empresas import Profile
from tenancy.names import database_of, user_of
from tenancy.provision import Adoption, Provisioner
from tests.tenancy.installation import Installation


class _Killed(BaseException):
    """What a kill looks like from within: nothing catches it."""


def _killed_at(step: int) -> tuple[list[str], object]:
    seen: list[str] = []

    def report(name: str) -> None:
        seen.append(name)
        if len(seen) == step:
            raise _Killed

    return seen, report


async def test_a_new_empresa_is_served_from_its_own_database(installation: Installation) -> None:
    """After create the empresa's own user reads and writes its own tables."""
    row = await installation.create()

    async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
        await conn.execute("INSERT INTO cars (brand, model) VALUES ('Fiat', 'Argo')")
        found = await conn.fetch_one("SELECT DATABASE(), brand FROM cars")

    assert row.status == "ativo"
    assert found == (database_of(row.id), "Fiat")


@pytest.mark.parametrize("step", range(1, 8))
async def test_a_killed_run_is_continued_by_the_next(installation: Installation, step: int) -> None:
    """Whatever step a kill comes after, the same command ends in the same state."""
    seen, report = _killed_at(step)
    profile = Profile(nome="Auto Show Curitiba")
    with pytest.raises(_Killed):
        await Provisioner(installation.settings, report=report).create(  # type: ignore[arg-type]
            installation.empresa_id(), profile
        )
    assert len(seen) == step

    row = await installation.create()

    assert row.status == "ativo"
    async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
        assert await conn.fetch_all("SELECT empresa_id FROM _tenant") == [(row.id,)]


async def test_a_user_whose_password_nobody_knows_gets_a_new_one(
    installation: Installation,
) -> None:
    """A user left over by a run that never stored its password does not stop the next run."""
    user = user_of(installation.empresa_id())
    await installation.sql("CREATE USER %s@'%%' IDENTIFIED BY 'lost'", (user,))

    row = await installation.create()

    async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
        assert await conn.fetch_one("SELECT 1") == (1,)


async def test_create_twice_changes_nothing(installation: Installation) -> None:
    """A repeated command keeps password, version and rows."""
    first = await installation.create()
    await installation.sql("INSERT INTO cars (brand) VALUES ('VW')", database=database_of(first.id))

    second = await installation.create()

    assert second == first
    cars = await installation.sql("SELECT brand FROM cars", database=database_of(first.id))
    assert cars == [("VW",)]


async def test_a_database_with_content_of_its_own_is_refused(installation: Installation) -> None:
    """A database that we did not make is left alone, and the error says how to take it over."""
    name = database_of(installation.empresa_id())
    await installation.sql(f"CREATE DATABASE {name}")
    await installation.sql("CREATE TABLE faturas (id INT)", database=name)

    with pytest.raises(NotConfigured, match="adopt"):
        await installation.create()

    assert await installation.sql("SHOW TABLES", database=name) == [("faturas",)]


async def test_a_database_marked_as_anothers_is_refused(installation: Installation) -> None:
    """A marker of another empresa stops provisioning before anything is changed."""
    row = await installation.create()
    name = database_of(row.id)
    await installation.sql("UPDATE _tenant SET empresa_id = 1", database=name)
    await installation.sql("DELETE FROM _migrations WHERE version > 1", database=name)
    await installation.sql("DROP TABLE _leases", database=name)

    with pytest.raises(WrongTenant):
        await installation.create()

    assert await installation.sql("SHOW TABLES LIKE '\\_leases'", database=name) == []


async def test_a_user_with_rights_elsewhere_is_not_taken_over(installation: Installation) -> None:
    """An account that serves someone else keeps its password."""
    user = user_of(installation.empresa_id())
    await installation.sql("CREATE USER %s@'%%' IDENTIFIED BY 'theirs'", (user,))
    await installation.sql("GRANT SELECT ON mysql.* TO %s@'%%'", (user,))

    with pytest.raises(NotConfigured, match="someone else"):
        await installation.create()


async def test_rights_end_at_names_that_collide_as_wildcards(installation: Installation) -> None:
    """`_` in a granted name is no wildcard: empresa_1_db opens no empresaX1Xdb."""
    row = await installation.create()
    alike = database_of(row.id).replace("_", "x")
    await installation.sql(f"CREATE DATABASE {alike}")
    try:
        await installation.sql("CREATE TABLE cars (id INT)", database=alike)
        async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
            with pytest.raises(TenantRefused):
                await conn.execute(f"TRUNCATE {alike}.cars")
            seen = {name for (name,) in await conn.fetch_all("SHOW DATABASES")}
    finally:
        await installation.sql(f"DROP DATABASE {alike}")

    assert seen == {"information_schema", database_of(row.id)}


async def test_the_user_of_an_empresa_changes_no_tables(installation: Installation) -> None:
    """The user that serves buyers has no right to create, alter or drop."""
    row = await installation.create()

    async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
        for statement in (
            "CREATE TABLE x (id INT)",
            "DROP TABLE cars",
            "ALTER TABLE cars ADD x INT",
        ):
            with pytest.raises(TenantRefused):
                await conn.execute(statement)


async def test_a_database_under_any_name_is_adopted_with_its_rows(
    installation: Installation,
) -> None:
    """Rights on that one database are enough; tables and rows that are there stay."""
    empresa_id = installation.empresa_id()
    async with installation.server.database("loja") as name:
        await installation.sql("CREATE TABLE faturas (id INT)", database=name)
        await installation.sql("INSERT INTO faturas VALUES (5)", database=name)
        user = user_of(installation.empresa_id(2))
        await installation.sql("CREATE USER %s@'%%' IDENTIFIED BY 'çã-secret'", (user,))
        await installation.sql(f"GRANT ALL ON `{name}`.* TO %s@'%%'", (user,))
        adoption = Adoption(
            host=installation.server.host,
            port=installation.server.port,
            database=name,
            user=user,
            password=SecretStr("çã-secret"),
        )

        row = await Provisioner(installation.settings).adopt(
            empresa_id, Profile(nome="Loja Antiga"), adoption
        )

        assert row.status == "ativo"
        assert row.place is not None
        assert "secret" not in row.place.token + repr(row)
        async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
            assert await conn.fetch_all("SELECT id FROM faturas") == [(5,)]
            assert await conn.fetch_all("SELECT id FROM cars") == []
        with pytest.raises(NotConfigured, match=f"empresa {empresa_id}"):
            await Provisioner(installation.settings).adopt(
                installation.empresa_id(3), Profile(nome="Outra"), adoption
            )

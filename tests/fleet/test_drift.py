"""A dealer's database beside the schema of this release: what is missing, other, and his own."""

from __future__ import annotations

from schema.migrator import Migrator
from schema.shape import shape_of, shape_there
from schema.snapshot import snapshot
from schema.steps import Kind, versions
from tenancy.direct import direct
from tenancy.drift import Drift, drift_of_all, expected
from tenancy.faults import CentralFaults
from tenancy.names import database_of
from tenancy.target import Limits, Target
from tests.fleet.old import age
from tests.tenancy.installation import Installation


async def _drift(installation: Installation) -> Drift:
    (found,) = await drift_of_all(installation.settings)
    assert found.drift is not None, found.error
    return found.drift


async def test_the_file_is_read_as_the_server_reads_it(installation: Installation) -> None:
    """Every table, column, type and index of a database that went all the steps, and no other."""
    async with installation.server.database() as name:
        target = Target(
            host=installation.server.host,
            port=installation.server.port,
            user=installation.server.user,
            password=installation.server.password,
            database=name,
        )
        async with direct(target, Limits(), CentralFaults()) as conn:
            await Migrator(conn, versions(Kind.TENANT)).run()
            there = await shape_there(conn)
    made = snapshot(Kind.TENANT)
    assert made is not None
    assert shape_of(made) == there == expected()


async def test_what_a_dealer_adds_is_kept_and_told(installation: Installation) -> None:
    """Own tables, columns and indexes do no harm, and a migration leaves them alone."""
    await installation.create()
    name = database_of(installation.empresa_id())
    await installation.sql(f"CREATE TABLE `{name}`.faturas (id INT)")
    await installation.sql(
        f"ALTER TABLE `{name}`.cars ADD COLUMN placa VARCHAR(8), ADD KEY (placa)"
    )

    drift = await _drift(installation)

    assert drift.extra == ("column cars.placa", "index cars (placa)", "table faturas")
    assert (drift.missing, drift.different, drift.is_harmful) == ((), (), False)


async def test_what_somebody_took_away_is_told(installation: Installation) -> None:
    """A table, a column, an index, and a column of another type."""
    await installation.create()
    name = database_of(installation.empresa_id())
    await age(installation, installation.empresa_id())
    await installation.sql(f"DROP TABLE `{name}`.car_images")
    await installation.sql(f"ALTER TABLE `{name}`.mensagens DROP INDEX idx_envio")
    await installation.sql(f"ALTER TABLE `{name}`.cars MODIFY model VARCHAR(90) NOT NULL")

    drift = await _drift(installation)

    assert drift.missing == (
        "column conversations.ritmo_em",
        "index mensagens (status, id)",
        "table car_images",
    )
    assert drift.different == (
        "column cars.model: varchar(90) NOT NULL, ours is varchar(255) NULL",
    )
    assert drift.is_harmful


async def test_a_database_that_cannot_be_looked_at_hides_no_other(
    installation: Installation,
) -> None:
    """Its error stands in its place."""
    await installation.create(1)
    await installation.create(2)
    await installation.sql(f"DROP DATABASE `{database_of(installation.empresa_id(1))}`")

    one, two = await drift_of_all(installation.settings)

    assert one.drift is None
    assert "1049" in str(one.error)
    assert two.drift == Drift()

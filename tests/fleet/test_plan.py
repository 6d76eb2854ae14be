"""What a run would do, without doing it."""

from __future__ import annotations

from schema.errors import MigrationFailed
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import Empresas
from tenancy.faults import CentralFaults
from tenancy.fleet.plan import make_plan
from tenancy.fleet.scratch import Algorithm, tried_on_copy
from tenancy.names import database_of
from tenancy.roles import Roles
from tenancy.servers import Role
from tenancy.target import Limits
from tests.fleet.old import SINCE, age, is_migrated, make_old, spoil
from tests.tenancy.installation import Installation


async def _copies(installation: Installation) -> list[str]:
    """Of this test's dealers: other tests plan at the same time."""
    ours = {f"hx_plan_{installation.empresa_id(number)}" for number in (1, 2, 3)}
    names = [name for (name,) in await installation.sql("SHOW DATABASES")]
    return [name for name in names if name.rpartition("_")[0] in ours]


async def test_steps_sizes_and_algorithms_are_told_and_nothing_is_done(
    installation: Installation,
) -> None:
    """Each dealer's steps with rows and bytes of their tables, tried on a copy of the canary's
    schema, which is gone afterwards."""
    await make_old(installation, 1, 2)
    await installation.create(3)
    await installation.central(
        "UPDATE empresas SET canario = 1 WHERE id = %s", (installation.empresa_id(2),)
    )
    plan = await make_plan(installation.settings)

    assert (plan.tried_on, plan.trial_error) == (installation.empresa_id(2), None)
    found = {one.empresa_id - installation.first_id: one for one in plan.empresas}
    assert plan.empresas[0].empresa_id == installation.empresa_id(2)
    assert found[3].steps == ()
    for number in (1, 2):
        step = found[number].steps[0]
        assert (step.version, step.step, step.table) == (SINCE, 1, "conversations")
        assert step.algorithm is Algorithm.INSTANT
        assert step.size_bytes is not None
        assert step.size_bytes > 0
        assert not await is_migrated(installation, number)
    assert await _copies(installation) == []


async def test_what_would_fail_is_found_on_the_copy(installation: Installation) -> None:
    """The error is the one that the dealer himself would have; his database stays as it is."""
    await make_old(installation, 1)
    await spoil(installation, 1)
    plan = await make_plan(installation.settings, only=installation.empresa_id(1))

    assert isinstance(plan.trial_error, MigrationFailed)
    assert "a table is missing" in str(plan.trial_error)
    assert await _copies(installation) == []


async def test_the_server_says_which_algorithm_it_needs(installation: Installation) -> None:
    """An index is built from the table, a new column is a matter of the dictionary."""
    await installation.create()
    name, empresa = database_of(installation.empresa_id()), installation.empresa_id()
    await age(installation, empresa)
    await installation.sql(f"DELETE FROM `{name}`._migrations WHERE version IN (1, 2)")  # noqa: S608
    await installation.sql(f"ALTER TABLE `{name}`.mensagens DROP INDEX idx_envio")
    await installation.sql(f"ALTER TABLE `{name}`.customers MODIFY phone VARCHAR(20) NOT NULL")
    settings = installation.settings
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        (row,) = await Empresas(conn).all()

    assert row.place is not None
    target = await Roles(settings).target(
        Role.MIGRATOR, row.place.host, row.place.port, row.place.database
    )
    trial = await tried_on_copy(empresa, target, Limits.of(settings))

    found = set(trial.algorithms.values())
    assert Algorithm.NOCOPY in found
    assert trial.algorithms[SINCE, 1] is Algorithm.INSTANT

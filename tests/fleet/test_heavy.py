"""Migrations that copy tables: canaries first, then one dealer of a server at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from schema.migrator import Migrated
from schema.steps import Kind, Version, versions
from tenancy.admin import admin_target
from tenancy.fleet import heavy, plan
from tenancy.fleet.plan import make_plan
from tenancy.fleet.run import FleetRun
from tenancy.fleet.scratch import Algorithm, tried_on_copy
from tenancy.fleet.values import RunState
from tenancy.lease import Connection
from tenancy.migrate import migrate_selected
from tenancy.names import database_of
from tenancy.target import Limits
from tests.fleet.old import SINCE, is_migrated, make_old, states
from tests.tenancy.installation import Installation


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the migration that old dealers lack bore the line `-- heavy`."""
    known = [replace(one, heavy=one.number == SINCE) for one in versions(Kind.TENANT)]

    def versions_marked(_kind: Kind) -> Sequence[Version]:
        return known

    monkeypatch.setattr(heavy, "versions", versions_marked)
    monkeypatch.setattr(plan, "versions", versions_marked)


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were migrated at the same time, noted at each beginning."""
    found: list[int] = []
    active = 0

    async def counted(conn: Connection, *, lock_wait_s: float) -> Migrated:
        nonlocal active
        active += 1
        found.append(active)
        try:
            return await migrate_selected(conn, lock_wait_s=lock_wait_s)
        finally:
            active -= 1

    monkeypatch.setattr("tenancy.fleet.run.migrate_selected", counted)
    return found


async def _canary(installation: Installation, number: int) -> None:
    await installation.central(
        "UPDATE empresas SET canario = 1 WHERE id = %s", (installation.empresa_id(number),)
    )


@pytest.mark.usefixtures("marked")
async def test_without_a_canary_nobody_is_touched(installation: Installation) -> None:
    """The run stops and says what to do; then the same run goes on, the canary first."""
    await make_old(installation, 1, 2)

    stopped = await FleetRun(installation.settings).start()

    assert (stopped.state, stopped.pending) == (RunState.STOPPED, 2)
    assert f"{SINCE:04}_" in (stopped.reason or "")
    assert "helix empresa canary" in (stopped.reason or "")
    assert await states(installation) == {1: "pendente", 2: "pendente"}
    assert not await is_migrated(installation, 1)
    assert not await is_migrated(installation, 2)

    await _canary(installation, 2)
    report = await FleetRun(installation.settings).resume()
    assert (report.run, report.state) == (stopped.run, RunState.DONE)
    assert [one.empresa_id for one in report.outcomes] == [
        installation.empresa_id(number) for number in (2, 1)
    ]


@pytest.mark.usefixtures("marked")
async def test_one_dealer_of_a_server_at_a_time(
    installation: Installation, most: list[int]
) -> None:
    """However many places the server has for migrations that cost nothing."""
    await make_old(installation, 1, 2, 3, 4, 5)
    await _canary(installation, 1)

    report = await FleetRun(installation.settings).start()

    assert (report.state, report.not_done) == (RunState.DONE, [])
    assert most == [1] * 5


async def test_light_ones_wait_for_nobody(installation: Installation, most: list[int]) -> None:
    """Without the mark there is neither a canary to wait for nor a smaller limit."""
    await make_old(installation, 1, 2, 3, 4, 5)
    assert (await FleetRun(installation.settings).start()).state is RunState.DONE
    assert max(most) > 1


@pytest.mark.usefixtures("marked")
async def test_a_dealer_chosen_by_name_needs_no_canary(installation: Installation) -> None:
    """Who names one dealer takes him for a canary."""
    await make_old(installation, 1)
    report = await FleetRun(installation.settings).start(only=installation.empresa_id(1))
    assert (report.state, report.not_done) == (RunState.DONE, [])
    assert await is_migrated(installation, 1)


@pytest.mark.usefixtures("marked")
async def test_a_plan_tells_them(installation: Installation) -> None:
    """Those of the marked migration alone."""
    await make_old(installation, 1)
    (one,) = (await make_plan(installation.settings)).empresas
    assert {step.version for step in one.steps if step.heavy} == {SINCE}
    assert {step.version for step in one.steps} > {SINCE}


async def test_what_copies_a_table_is_marked(installation: Installation) -> None:
    """The server says of each step of this release what it needs: no copy without `-- heavy`."""
    await installation.create()
    empresa, settings = installation.empresa_id(50), installation.settings
    await installation.sql(f"CREATE DATABASE `{database_of(empresa)}`")
    server = admin_target(settings, settings.db_host, settings.db_port, database_of(empresa))

    found = (await tried_on_copy(empresa, server, Limits.of(settings))).algorithms

    steps = sum(len(version.steps) for version in versions(Kind.TENANT))
    assert len(found) > steps // 2
    copied = {number for (number, _), how in found.items() if how is Algorithm.COPY}
    assert copied <= {version.number for version in versions(Kind.TENANT) if version.heavy}

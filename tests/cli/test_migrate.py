"""`helix migrate` and `helix empresa canary`, as people and programs call them."""

from __future__ import annotations

import pytest

from tests.cli.helix import helix
from tests.fleet.old import heal, is_migrated, make_old, spoil
from tests.tenancy.installation import Installation


async def test_from_a_plan_over_a_stop_to_the_end(installation: Installation) -> None:
    """canary, --plan, a run that stops, --status, --retry-failed: each says what comes next."""
    env = installation.environment()
    await make_old(installation, 1, 2)
    one, two = (installation.empresa_id(number) for number in (1, 2))
    switched = await helix("empresa", "canary", str(two), "on", "--json", env=env)
    assert (switched.code, switched.json["canary"]) == (0, True), switched.err

    planned = await helix("migrate", "--plan", "--json", env=env)
    assert planned.code == 0, planned.err
    assert [(row["empresa"], row["wave"]) for row in planned.json["empresas"]] == [
        (two, "canary"),
        (one, "first"),
    ]
    assert planned.json["empresas"][0]["steps"][0]["algorithm"] == "instant"

    await spoil(installation, 2)
    stopped = await helix("migrate", "--json", env=env)
    assert (stopped.code, stopped.json["state"], stopped.json["pending"]) == (1, "parado", 1)
    assert "--retry-failed" in stopped.err

    looked = await helix("migrate", "--status", "--json", env=env)
    rows = {row["name"]: row["state"] for row in looked.json["empresas"]}
    assert rows == {f"empresa {one}": "pendente", f"empresa {two}": "falhou"}
    shown = await helix("migrate", "--status", env=env)
    assert (shown.code, "a canary failed" in shown.out) == (0, True)

    await heal(installation, 2)
    ended = await helix("migrate", "--retry-failed", "--json", env=env)
    assert (ended.code, ended.json["run"], ended.json["done"]) == (0, stopped.json["run"], 2)
    assert await is_migrated(installation, 1)
    drift = await helix("migrate", "--drift", env=env)
    assert drift.code == 0, drift.out


async def test_one_dealer_alone(installation: Installation) -> None:
    """--empresa touches nobody else; one who is not there is an error."""
    env = installation.environment()
    await make_old(installation, 1, 2)
    ran = await helix("migrate", "--empresa", str(installation.empresa_id(1)), env=env)
    assert ran.code == 0, ran.err
    assert await is_migrated(installation, 1)
    assert not await is_migrated(installation, 2)
    unknown = await helix("migrate", "--empresa", "1", env=env)
    assert unknown.code == 1
    assert "helix empresa list" in unknown.err


async def test_a_run_that_was_killed_is_told_from_one_that_runs(
    installation: Installation,
) -> None:
    """`interrompido`: its row is open and nobody holds the lock."""
    env = installation.environment()
    await make_old(installation, 1)
    assert (await helix("migrate", env=env)).code == 0
    await installation.central("UPDATE migracao_execucao SET estado = 'executando'")
    looked = await helix("migrate", "--status", "--json", env=env)
    assert looked.json["state"] == "interrompido"


async def test_a_run_is_named_by_its_number(installation: Installation) -> None:
    """`--resume`, `--retry-failed` and `--status` take one, else the last; who gives a wrong one is
    told."""
    env = installation.environment()
    await make_old(installation, 1)
    await spoil(installation, 1)
    first = await helix("migrate", "--json", env=env)
    await helix("migrate", "--json", env=env)
    await heal(installation, 1)

    ended = await helix("migrate", "--retry-failed", str(first.json["run"]), "--json", env=env)
    assert (ended.code, ended.json["run"], ended.json["done"]) == (0, first.json["run"], 1)
    looked = await helix("migrate", "--status", str(first.json["run"]), "--json", env=env)
    assert looked.json["state"] == "feito"
    last = await helix("migrate", "--resume", "--json", env=env)
    assert last.json["run"] == first.json["run"] + 1
    wrong = await helix("migrate", "--resume", "999", env=env)
    assert wrong.code == 1
    assert "999" in wrong.err


@pytest.mark.parametrize(
    "args",
    [
        ("--plan", "--status"),
        ("--resume", "--drift"),
        ("3",),
        ("--plan", "3"),
        ("--resume", "0"),
        ("--resume", "--empresa", "7"),
        ("--wave-pause", "-1"),
    ],
)
async def test_options_that_contradict_each_other_do_nothing(
    installation: Installation, args: tuple[str, ...]
) -> None:
    """Exit code 2, before anything is opened."""
    ran = await helix("migrate", *args, env=installation.environment())
    assert ran.code == 2, ran.err

"""A run over all dealers: its ledger, where it stops, how it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

import pytest

from dev.servers.programs import ROOT
from schema.errors import MigrationLocked, UnknownEmpresa, UnknownRun
from schema.steps import Kind, versions
from tenancy.fleet.queue import Crowd
from tenancy.fleet.run import FleetRun, Onlooker
from tenancy.fleet.values import Outcome, Report, RunState, State, Wave
from tenancy.names import database_of
from tests.fleet.old import age, heal, is_migrated, make_old, spoil, states
from tests.tenancy.installation import Installation

ONE_BY_ONE = Crowd(per_host=1, in_all=1)


async def _run(installation: Installation) -> Report:
    return await FleetRun(installation.settings, crowd=ONE_BY_ONE).start()


async def _canary(installation: Installation, number: int) -> None:
    await installation.central(
        "UPDATE empresas SET canario = 1 WHERE id = %s", (installation.empresa_id(number),)
    )


async def test_all_are_migrated_and_the_ledger_says_so(installation: Installation) -> None:
    """Canaries first; then nothing is left to do, and a second run does nothing."""
    await make_old(installation, 1, 2, 3)
    await _canary(installation, 3)

    report = await _run(installation)

    assert (report.state, report.pending, report.not_done) == (RunState.DONE, 0, [])
    assert report.outcomes[0].empresa_id == installation.empresa_id(3)
    assert all([await is_migrated(installation, number) for number in (1, 2, 3)])
    assert await installation.central(
        "SELECT empresa_id, onda, versao, estado, passos > 0, tentativas, duracao_ms IS NOT NULL,"
        " erro FROM migracao_empresa ORDER BY empresa_id"
    ) == [
        (installation.empresa_id(number), wave, versions(Kind.TENANT)[-1].number, "feito",
         1, 1, 1, None)
        for number, wave in ((1, "first"), (2, "first"), (3, "canary"))
    ]  # fmt: skip
    again = await _run(installation)
    assert [one.steps for one in again.outcomes] == [0, 0, 0]


async def test_a_broken_canary_keeps_all_others_from_harm(installation: Installation) -> None:
    """Nobody else is touched; mended, the same run goes on to its end."""
    await make_old(installation, 1, 2)
    await _canary(installation, 2)
    await spoil(installation, 2)

    stopped = await _run(installation)

    assert (stopped.state, stopped.pending) == (RunState.STOPPED, 1)
    assert "canary" in (stopped.reason or "")
    assert await states(installation) == {1: "pendente", 2: "falhou"}
    assert not await is_migrated(installation, 1)

    await heal(installation, 2)
    report = await FleetRun(installation.settings).resume(retry_failed=True)
    assert (report.run, report.state) == (stopped.run, RunState.DONE)
    assert await states(installation) == {1: "feito", 2: "feito"}
    assert (await installation.central("SELECT estado, motivo FROM migracao_execucao")) == [
        ("feito", None)
    ]


async def test_the_same_error_everywhere_stops_early(installation: Installation) -> None:
    """The first three of a wave say enough; the others keep what they have."""
    await make_old(installation, 1, 2, 3, 4)
    for number in (1, 2, 3, 4):
        await spoil(installation, number)

    report = await _run(installation)

    assert report.state is RunState.STOPPED
    assert sorted((await states(installation)).values()) == ["falhou", "falhou", "pendente",
                                                             "pendente"]  # fmt: skip
    assert "of 4 failed" in (report.reason or "")


async def test_what_failed_is_left_out_by_resume_and_taken_by_retry(
    installation: Installation,
) -> None:
    """One failure stops nothing; `resume` alone does not try it again."""
    await make_old(installation, 1, 2)
    await spoil(installation, 1)
    first = await _run(installation)
    assert first.state is RunState.DONE
    assert [one.empresa_id for one in first.not_done] == [installation.empresa_id(1)]
    await heal(installation, 1)

    assert (await FleetRun(installation.settings).resume()).outcomes == ()
    assert not await is_migrated(installation, 1)
    await FleetRun(installation.settings).resume(first.run, retry_failed=True)
    assert await is_migrated(installation, 1)
    with pytest.raises(UnknownRun):
        await FleetRun(installation.settings).resume(first.run + 1)


async def test_a_changed_migration_stops_at_once(installation: Installation) -> None:
    """A checksum that is not ours, at the first dealer who has it."""
    await make_old(installation, 1, 2)
    first = (await _order(installation))[0]
    await installation.sql(
        f"UPDATE `{database_of(first)}`._migrations SET checksum = REPEAT('0', 64) LIMIT 1"  # noqa: S608
    )
    report = await _run(installation)
    assert (report.state, report.pending) == (RunState.STOPPED, 1)
    assert "another text" in (report.reason or "")


async def _order(installation: Installation) -> list[int]:
    return [id_ for (id_,) in await installation.central("SELECT id FROM empresas ORDER BY id")]


async def test_a_dead_host_costs_its_own_dealers_alone(installation: Installation) -> None:
    """However many it has: the run does not stop, and the rest is migrated. After three tries the
    host is left alone."""
    await make_old(installation, *range(1, 7))
    tried = 0
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refused
        await installation.central(
            "UPDATE empresas SET db_port = %s WHERE id <= %s",
            (closed.getsockname()[1], installation.empresa_id(5)),
        )
        report = await _run(installation)

    failed = [one for one in report.outcomes if one.state is State.FAILED]
    tried = sum("did not answer others" not in str(one.error) for one in failed)
    assert report.state is RunState.DONE
    assert (len(failed), tried) == (5, 3)
    assert await is_migrated(installation, 6)


async def test_a_database_that_someone_else_migrates_is_passed_over(
    installation: Installation,
) -> None:
    """`pulado`, with who has it; `resume` takes it up."""
    await make_old(installation, 1, 2)
    name = database_of(installation.empresa_id(1))
    async with installation.server.connect() as other, other.cursor() as cursor:
        await cursor.execute("SELECT GET_LOCK(%s, 0)", (f"hx:mig:{name}",))
        report = await _run(installation)

    assert report.state is RunState.DONE
    assert await states(installation) == {1: "pulado", 2: "feito"}
    assert f"connection {other.thread_id()}" in str(report.not_done[0].error)
    await FleetRun(installation.settings).resume()
    assert await is_migrated(installation, 1)


async def test_of_two_runners_one_is_told_of_the_other(installation: Installation) -> None:
    """The second learns who runs since when, and does nothing."""
    await make_old(installation, 1)
    told: list[str] = []

    class Second(Onlooker):
        async def wave_over(self, outcomes: object) -> None:
            with pytest.raises(MigrationLocked) as caught:
                await _run(installation)
            told.append(str(caught.value))

    report = await FleetRun(installation.settings, onlooker=Second()).start()

    assert len(told) == 1
    assert f"run {report.run} is under way" in told[0]
    assert str(os.getpid()) in told[0]
    assert await installation.central("SELECT COUNT(*) FROM migracao_execucao") == [(1,)]


async def test_between_waves_is_a_pause_and_a_look(installation: Installation) -> None:
    """A database that is not as it should be after its migration stops the run before the next
    wave: here an index that somebody dropped, though the ledger says that it is there."""
    await make_old(installation, 1, 2)
    await _canary(installation, 1)
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    name = database_of(installation.empresa_id(1))
    await installation.sql(f"ALTER TABLE `{name}`.mensagens DROP INDEX idx_envio")
    fleet = FleetRun(installation.settings, wave_pause_s=7, pause=pause)
    stopped = await fleet.start()
    assert (stopped.state, paused) == (RunState.STOPPED, [])
    assert "lacks, after its migration, index mensagens (status, id)" in (stopped.reason or "")
    assert not await is_migrated(installation, 2)

    await installation.sql(f"ALTER TABLE `{name}`.mensagens ADD INDEX idx_envio (status, id)")
    report = await fleet.resume(retry_failed=True)
    assert (report.state, paused) == (RunState.DONE, [7])


async def test_a_dealer_who_is_still_made_is_passed_over(installation: Installation) -> None:
    """`helix empresa create` migrates him itself; a dealer who is not there has no run."""
    await make_old(installation, 1, 2)
    await installation.central(
        "UPDATE empresas SET status = 'provisionando' WHERE id = %s", (installation.empresa_id(1),)
    )
    report = await _run(installation)
    assert (report.state, report.not_done) == (RunState.DONE, [])
    assert await states(installation) == {1: "pulado", 2: "feito"}
    with pytest.raises(UnknownEmpresa):
        await FleetRun(installation.settings).start(only=1)


async def test_killed_between_any_two_dealers_it_is_gone_on_with(
    installation: Installation,
) -> None:
    """SIGKILL after the first, the second, ... dealer: `resume` does the rest in the same run, and
    nobody has to break a lock."""
    numbers = (1, 2, 3)
    await make_old(installation, *numbers)
    for lives in numbers:
        for number in numbers:
            if lives > 1:
                await age(installation, installation.empresa_id(number))
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.fleet.killed", str(lives),
            cwd=ROOT,
            env={**os.environ, **installation.environment()},
        )  # fmt: skip
        assert await child.wait() == -signal.SIGKILL
        assert sum([await is_migrated(installation, number) for number in numbers]) == lives

        report = await FleetRun(installation.settings).resume()

        assert report.state is RunState.DONE
        assert all([await is_migrated(installation, number) for number in numbers])
        assert set((await states(installation)).values()) == {"feito"}
    runs = await installation.central("SELECT estado FROM migracao_execucao")
    assert runs == [("feito",)] * len(numbers)


async def test_outcomes_are_told_as_they_come(installation: Installation) -> None:
    """For the progress bar, and for the workers that wait."""
    await make_old(installation, 1)
    seen: list[object] = []

    class Seeing(Onlooker):
        def begins(self, wave: Wave, size: int) -> None:
            seen.append((wave, size))

        def done(self, outcome: Outcome) -> None:
            seen.append(outcome.empresa_id)

    await FleetRun(installation.settings, onlooker=Seeing()).start()
    assert seen == [(Wave.FIRST, 1), installation.empresa_id(1)]

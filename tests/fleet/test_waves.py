"""Who is migrated when, and when a run stops."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import HelixError, MigrationChanged, MigrationFailed, TenantUnavailable
from tenancy.empresas import EmpresaRow, Place
from tenancy.fleet.queue import Crowd
from tenancy.fleet.values import Outcome, State, Wave
from tenancy.fleet.waves import Brake, alternately, waves


def _row(number: int, host: str = "one", *, canary: bool = False) -> EmpresaRow:
    place = Place(host=host, port=3306, database=f"d{number}", user=f"u{number}", token="t")
    return EmpresaRow(
        id=number, nome="Loja", endereco=None, telefone=None, horario=None, bot_ativo=True,
        status="ativo", versao=1, place=place, db_name=place.database, pause_reason=None,
        paused_at=None, canary=canary,
    )  # fmt: skip


def _failed(number: int, error: HelixError) -> Outcome:
    return Outcome(empresa_id=number, wave=Wave.REST, state=State.FAILED, error=error)


def test_a_thousand_dealers_go_in_four_waves() -> None:
    """Canaries, 1 %, 10 %, the rest."""
    rows = [_row(number, canary=number in {7, 500}) for number in range(1, 1003)]

    found = waves(rows)

    assert Counter(found.values()) == {
        Wave.CANARY: 2,
        Wave.FIRST: 10,
        Wave.TENTH: 100,
        Wave.REST: 890,
    }
    assert {id_ for id_, wave in found.items() if wave is Wave.CANARY} == {7, 500}


def test_the_first_wave_has_five_dealers_and_sees_all_hosts() -> None:
    """1 % of few is nobody; and an old server must not come last."""
    rows = [_row(number, "big") for number in range(30)]
    rows += [_row(number, "small") for number in range(30, 33)]

    first = [id_ for id_, wave in waves(rows).items() if wave is Wave.FIRST]

    assert len(first) == 5
    assert set(first) & {30, 31, 32}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=300))
def test_nobody_is_left_out_or_taken_twice(dealers: list[tuple[str, bool]]) -> None:
    """Whatever the hosts and the canaries."""
    rows = [_row(number, host, canary=canary) for number, (host, canary) in enumerate(dealers)]
    assert sorted(waves(rows)) == [row.id for row in rows]
    assert sorted(row.id for row in alternately(rows)) == [row.id for row in rows]


def test_one_failure_stops_among_canaries_only() -> None:
    """That is what they are for."""
    broken = _failed(1, MigrationFailed("table cars is in the way"))
    assert "canary" in (Brake(Wave.CANARY, 3).note(broken) or "")
    assert Brake(Wave.REST, 3).note(broken) is None


def test_more_than_one_percent_and_two_stop() -> None:
    """Different errors, with successes in between: 2 of 200 are 1 %, the third is more."""
    brake = Brake(Wave.REST, 200)
    good = Outcome(empresa_id=9, wave=Wave.REST, state=State.DONE)
    said = []
    for number, name in enumerate(("cars", "customers", "mensagens")):
        brake.note(good)
        said.append(brake.note(_failed(number, MigrationFailed(f"table {name} is in the way"))))
    assert said[:2] == [None, None]
    assert "3 of 200" in (said[2] or "")


def test_the_same_error_three_times_in_a_row_stops() -> None:
    """Whatever the share; numbers of dealers and tables' sizes make it no other one."""
    brake = Brake(Wave.REST, 10_000)
    said = [brake.note(_failed(n, MigrationFailed(f"empresa {n}: no table"))) for n in range(3)]
    assert said[:2] == [None, None]
    assert "3 times in a row" in (said[2] or "")

    brake = Brake(Wave.REST, 10_000)
    for number in (1, 2):
        brake.note(_failed(number, MigrationFailed("no table")))
    brake.note(Outcome(empresa_id=3, wave=Wave.REST, state=State.DONE))
    assert brake.note(_failed(4, MigrationFailed("no table"))) is None


def test_a_host_that_is_away_stops_nobody_and_a_changed_file_everybody() -> None:
    """The first is no fault of the migration; the second is one everywhere."""
    brake = Brake(Wave.REST, 10)
    assert all(brake.note(_failed(n, TenantUnavailable(n))) is None for n in range(9))
    assert brake.note(_failed(9, MigrationChanged("0001 changed"))) == "0001 changed"


async def test_no_host_has_more_than_its_share_and_none_waits_for_another() -> None:
    """While all dealers of one host hang, those of the others are done; 4 at a host, `in_all`
    together."""
    rows = [_row(n, "hangs") for n in range(9)] + [_row(n, "well") for n in range(9, 40)]
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()
    done: list[int] = []
    free, well_done = asyncio.Event(), asyncio.Event()

    async def one(row: EmpresaRow) -> None:
        assert row.place is not None
        for name in (row.place.host, "all"):
            busy[name] += 1
            most[name] = max(most[name], busy[name])
        if row.place.host == "hangs":
            await free.wait()
        else:
            await asyncio.wait([asyncio.ensure_future(_soon())])
            done.append(row.id)
            if len(done) == 31:
                well_done.set()
        for name in (row.place.host, "all"):
            busy[name] -= 1

    work = asyncio.create_task(Crowd(per_host=4, in_all=6).work(rows, one))
    async with asyncio.timeout(10):
        await well_done.wait()
        free.set()
        await work
    assert (most["hangs"], most["all"]) == (4, 6)
    assert most["well"] <= 4


async def _soon() -> None:
    """One turn of the loop."""


async def test_what_goes_wrong_ends_the_work_under_its_own_name() -> None:
    """Not as a group of errors, which nobody chooses by."""

    async def one(row: EmpresaRow) -> None:
        raise MigrationFailed(str(row.id))

    with pytest.raises(MigrationFailed, match="1"):
        await Crowd().work([_row(1)], one)

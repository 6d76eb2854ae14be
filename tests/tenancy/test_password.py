"""A dealer's database password changes under load, and whatever is killed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiomysql
import pytest
from pymysql.err import OperationalError

from schema.errors import TryAgain
from tenancy.empresas import EmpresaRow
from tenancy.keyring import password_of
from tenancy.names import user_of
from tenancy.password import PasswordRotation
from tenancy.start import Tenancy
from tenancy.watch import Settled
from tests.tenancy.installation import Installation

KEEPS = {"tenancy_registry_fresh_s": 300}


class _Killed(BaseException):
    """What a kill looks like from within: nothing catches it."""


class _Processes:
    """Two processes that use dealers' databases, without the Redis between them."""

    def __init__(self, tenancies: Sequence[Tenancy]) -> None:
        self._tenancies = tenancies
        self._used: dict[int, int] = {}
        self.deaf = False
        for number, tenancy in enumerate(tenancies):
            tenancy.watch.settled = self._note(number)

    def _note(self, number: int) -> Settled:
        async def settled(_empresa_id: int, versao: int) -> None:
            self._used[number] = versao

        return settled

    async def announce(self, empresa_id: int, versao: int) -> None:
        if not self.deaf:
            for tenancy in self._tenancies:
                tenancy.watch.changed(empresa_id, versao)

    async def missing(self, _empresa_id: int, versao: int) -> list[str]:
        numbers = range(len(self._tenancies))
        return [f"process {number}" for number in numbers if self._used.get(number, 0) < versao]


async def _password(installation: Installation, row: EmpresaRow) -> str:
    ((token,),) = await installation.central(
        "SELECT db_password FROM empresas WHERE id = %s", (row.id,)
    )
    return installation.settings.keyring().open(token, purpose=password_of(row.id))


async def _opens(installation: Installation, row: EmpresaRow, password: str) -> bool:
    server = installation.server
    try:
        conn = await aiomysql.connect(
            host=server.host, port=server.port, user=user_of(row.id), password=password
        )
    except OperationalError as error:
        if error.args[0] != 1045:
            raise
        return False
    conn.close()
    return True


async def _ask(tenancy: Tenancy, empresa_id: int) -> object:
    async with tenancy.pools.connection(empresa_id) as conn:
        return (await conn.fetch_all("SELECT empresa_id FROM _tenant"))[0][0]


async def test_a_password_changes_under_load_and_fails_no_one(installation: Installation) -> None:
    """Ten users in each of two processes go on; at the end the old password opens nothing."""
    row = await installation.create()
    old = await _password(installation, row)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        two = [await stack.enter_async_context(installation.tenancy(**KEEPS)) for _ in range(2)]
        processes = _Processes(two)

        async def use(tenancy: Tenancy) -> int:
            served = 0
            while not stop.is_set():
                assert await _ask(tenancy, row.id) == row.id
                served += 1
            return served

        async with asyncio.TaskGroup() as group:
            users = [group.create_task(use(tenancy)) for tenancy in two for _ in range(10)]
            for _ in range(2):
                before = await _password(installation, row)
                await PasswordRotation(installation.settings, processes).run(row.id)
                assert await _password(installation, row) != before
                assert not await _opens(installation, row, before)
            stop.set()

        assert min(user.result() for user in users) > 0
        assert not await _opens(installation, row, old)
    assert await _opens(installation, row, await _password(installation, row))
    assert await installation.central("SELECT empresa_id FROM trocas_senha") == []


@pytest.mark.parametrize("step", range(1, 6))
async def test_a_killed_change_is_taken_up(installation: Installation, step: int) -> None:
    """After a kill at any step the dealer is served, and the next run ends in one password."""
    row = await installation.create()
    old = await _password(installation, row)
    seen: list[str] = []

    def report(name: str) -> None:
        seen.append(name)
        if len(seen) == step:
            raise _Killed

    async with installation.tenancy(**KEEPS) as tenancy:
        await _ask(tenancy, row.id)
        processes = _Processes([tenancy])
        with pytest.raises(_Killed):
            await PasswordRotation(installation.settings, processes, report=report).run(row.id)
        assert len(seen) == step
        async with installation.tenancy() as fresh:
            assert await _ask(fresh, row.id) == row.id
        assert await _ask(tenancy, row.id) == row.id

        await PasswordRotation(installation.settings, processes).run(row.id)

        assert await _ask(tenancy, row.id) == row.id
    new = await _password(installation, row)
    assert await _opens(installation, row, new)
    assert not await _opens(installation, row, old)
    ((shown,),) = await installation.sql(f"SHOW CREATE USER {user_of(row.id)}@'%'")
    assert " OR " not in shown
    assert await installation.central("SELECT empresa_id FROM trocas_senha") == []


async def test_both_passwords_open_until_everyone_uses_the_new_one(
    installation: Installation,
) -> None:
    """A process that does not answer keeps its connections; the next run goes on from there."""
    row = await installation.create()
    old = await _password(installation, row)
    async with installation.tenancy(**KEEPS) as tenancy:
        await _ask(tenancy, row.id)
        processes = _Processes([tenancy])
        processes.deaf = True

        with pytest.raises(TryAgain, match="process 0"):
            await PasswordRotation(installation.settings, processes, patience_s=0).run(row.id)

        new = await _password(installation, row)
        assert new != old
        assert await _opens(installation, row, old)
        assert await _opens(installation, row, new)
        processes.deaf = False
        await PasswordRotation(installation.settings, processes).run(row.id)
        assert await _password(installation, row) == new
        assert not await _opens(installation, row, old)


async def test_sessions_of_the_old_password_are_ended(installation: Installation) -> None:
    """One that no process of ours answers for does not outlive the password that opened it."""
    row = await installation.create()
    server = installation.server
    stray = await aiomysql.connect(
        host=server.host,
        port=server.port,
        user=user_of(row.id),
        password=await _password(installation, row),
    )

    done = await PasswordRotation(installation.settings, _Processes([])).run(row.id)

    assert done.ended == 1
    assert await installation.processes() == []
    stray.close()


async def test_one_change_at_a_time(installation: Installation) -> None:
    """Two at once would drop the password that the other one stored."""
    row = await installation.create()
    async with installation.tenancy(**KEEPS) as tenancy:
        waiting = _Processes([tenancy])
        waiting.deaf = True
        reached = asyncio.Event()

        def report(name: str) -> None:
            if name == "stored":
                reached.set()

        first = asyncio.create_task(
            PasswordRotation(installation.settings, waiting, report=report).run(row.id)
        )
        await reached.wait()
        with pytest.raises(TryAgain, match="under way"):
            await PasswordRotation(installation.settings, waiting).run(row.id)
        waiting.deaf = False
        await first
        assert await _opens(installation, row, await _password(installation, row))

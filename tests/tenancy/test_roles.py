"""Servers are opened as the account for the work, however it changes meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from schema.errors import ServerRefused
from tenancy.faults import ServerFaults
from tenancy.fleet.run import FleetRun
from tenancy.keyring import account_of
from tenancy.migrate import migrate_central
from tenancy.names import user_of
from tenancy.roles import Roles
from tenancy.servers import Account, Role, Servers
from tests.fleet.old import is_migrated, make_old
from tests.tenancy.installation import Installation


async def _account(installation: Installation, number: int, password: str) -> str:
    """Makes or changes an account of the server, and its row; returns its name."""
    user = user_of(installation.empresa_id(number))
    await installation.sql("CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s", (user, password))
    await installation.sql(f"GRANT ALL ON `empresa\\_%%`.* TO '{user}'@'%%'", ())
    await _stored(installation, user, password)
    return user


async def _stored(installation: Installation, user: str, password: str) -> None:
    settings = installation.settings
    purpose = account_of(settings.db_host, settings.db_port, Role.MIGRATOR)
    await installation.central(
        "REPLACE INTO contas_servidor (host, port, papel, usuario, senha)"
        " VALUES (%s, %s, %s, %s, %s)",
        (
            settings.db_host,
            settings.db_port,
            Role.MIGRATOR.value,
            user,
            settings.keyring().seal(password, purpose=purpose),
        ),
    )


async def _who(installation: Installation, roles: Roles) -> str:
    host, port = installation.settings.db_host, installation.settings.db_port
    faults = ServerFaults(host, port)
    async with roles.open(Role.MIGRATOR, host, port, None, faults) as conn:
        ((user,),) = await conn.fetch_all("SELECT CURRENT_USER()")
    return str(user).partition("@")[0]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Servers]:
    """Grows with each reading of the accounts."""
    found: list[Servers] = []
    read = Servers.accounts

    async def counted(self: Servers) -> list[Account]:
        found.append(self)
        return await read(self)

    monkeypatch.setattr(Servers, "accounts", counted)
    return found


async def test_a_run_reads_the_accounts_once(
    installation: Installation, reads: list[Servers]
) -> None:
    """Not once for each dealer; and it works as the account, not as the administrator."""
    await make_old(installation, 1, 2, 3)
    user = await _account(installation, 60, "um")
    reads.clear()

    report = await FleetRun(installation.settings).start()

    assert report.not_done == []
    assert len(reads) == 1
    assert all([await is_migrated(installation, number) for number in (1, 2, 3)])
    assert await _who(installation, Roles(installation.settings)) == user


async def test_an_account_that_changes_during_a_run_is_read_anew(
    installation: Installation, reads: list[Servers]
) -> None:
    """Its old password is refused: then, and only then, the registry is asked again; once, however
    many were refused at the same time."""
    await migrate_central(installation.settings)
    user = await _account(installation, 60, "um")
    roles = Roles(installation.settings)
    assert await _who(installation, roles) == user

    await _account(installation, 60, "dois")
    assert await asyncio.gather(*(_who(installation, roles) for _ in range(4))) == [user] * 4
    assert len(reads) == 2

    await installation.central("DELETE FROM contas_servidor")
    await installation.sql("DROP USER %s@'%%'", (user,))
    assert await _who(installation, roles) == installation.settings.db_user


async def test_an_account_that_is_refused_for_good_is_told(installation: Installation) -> None:
    """The registry says nothing new: no second try with the same password."""
    await migrate_central(installation.settings)
    user = await _account(installation, 60, "um")
    await _stored(installation, user, "errada")
    with pytest.raises(ServerRefused):
        await _who(installation, Roles(installation.settings))

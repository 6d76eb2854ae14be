"""A dealer moves to another server: whole, alone, and back to work whatever goes wrong."""

from __future__ import annotations

import pytest

from dev.servers.extra import extra_mariadb
from schema.errors import CommitUnknown, NotConfigured, TenantUnavailable, TryAgain
from tenancy.empresas import Empresas
from tenancy.lease import Connection
from tenancy.life import move, server, switch
from tenancy.names import user_of
from tests.tenancy.life.ground import TRICKY, Ground
from worker.life.at_work import AtWork
from worker.queue.keys import Task, TaskKeys


async def test_a_dealer_moves_with_every_row_and_nobody_elses(ground: Ground) -> None:
    """Equal checksums, his own user at the new server, the old database closed and kept."""
    await ground.dealer(1)
    await ground.dealer(2)
    before = await ground.row()

    async with ground.tools() as tools:
        moved = await move.move(tools, ground.installation.empresa_id(1), *ground.elsewhere)

    after = await ground.row()
    assert (after["host"], after["port"], after["status"]) == (*ground.elsewhere, "ativo")
    assert (moved.compared, moved.rows["customers"]) == ("checksums", 5)
    assert (await ground.names(1))[-1] == TRICKY
    assert all(name.startswith("dealer 1") for name in (await ground.names(1))[:-1])
    assert all(name.startswith("dealer 2") for name in (await ground.names(2))[:-1])
    grants = await ground.at_second(f"SHOW GRANTS FOR {after['user']}")
    assert len(grants) == 2  # USAGE, and his database
    assert after["database"].replace("_", "\\_") in grants[1][0]
    # Nobody gets into what he left, and it is still there.
    old = await ground.installation.sql(
        "SELECT COUNT(*) FROM customers", database=before["database"]
    )
    assert old == [(5,)]
    granted = await ground.installation.sql(f"SHOW GRANTS FOR {before['user']}")
    assert len(granted) == 1


async def test_there_and_back_and_what_was_left_is_dropped(ground: Ground) -> None:
    """A dealer may return to a server that he left; only what he left is dropped, by command."""
    row = await ground.dealer()
    assert row.place is not None
    home = row.place.host, row.place.port
    async with ground.tools() as tools:
        await move.move(tools, row.id, *ground.elsewhere)
        await move.move(tools, row.id, *home)
        left = await switch.kept(tools.central, row.id)
        assert [(one.host, one.port) for one in left] == [home, ground.elsewhere]

        await switch.drop_kept(tools, row.id, left, current=await tools.place(row.id))

        assert await switch.kept(tools.central, row.id) == []
    assert len(await ground.names()) == 5
    assert (user_of(row.id),) not in await ground.at_second("SELECT user FROM mysql.user")
    names = {name for (name,) in await ground.at_second("SHOW DATABASES")}
    assert not {name for name in names if str(row.id) in name}


async def test_work_that_runs_is_waited_for_and_what_never_ends_takes_the_move_back(
    ground: Ground,
) -> None:
    """A lease that somebody holds is never cut; the dealer goes on where he was."""
    row = await ground.dealer()
    lease = TaskKeys(row.id, Task.DRAIN).lease
    await ground.redis.set(lease, "7")

    async with ground.tools(patience_s=0.2) as tools:
        with pytest.raises(TryAgain, match="drain_inbox"):
            await move.move(tools, row.id, *ground.elsewhere)
        assert (await ground.row())["status"] == "ativo"
        await ground.redis.delete(lease)
        await move.move(tools, row.id, *ground.elsewhere)

    assert (await ground.row())["port"] == ground.elsewhere[1]


async def test_a_target_that_dies_before_the_switch_leaves_the_dealer_where_he_was(
    ground: Ground,
) -> None:
    """The account opens again, he is served, and the same command moves him later."""
    row = await ground.dealer()
    with extra_mariadb() as dying:
        async with dying.access.connect() as conn, conn.cursor() as cursor:
            settings = ground.installation.settings
            assert settings.provision_db_password is not None
            password = settings.provision_db_password.get_secret_value()
            await cursor.execute(
                f"CREATE USER {settings.provision_db_user} IDENTIFIED BY '{password}'"
            )
            await cursor.execute(
                f"GRANT ALL ON *.* TO {settings.provision_db_user} WITH GRANT OPTION"
            )

        def die(step: str, moment: str) -> None:
            if (step, moment) == ("locked", "recorded"):
                dying.kill()

        place = dying.access.host, dying.access.port
        async with ground.tools(watch=die) as tools:
            with pytest.raises(TenantUnavailable):
                await move.move(tools, row.id, *place)
    assert (await ground.row())["status"] == "ativo"
    assert len(await ground.names()) == 5

    async with ground.tools() as tools:
        await move.move(tools, row.id, *ground.elsewhere)
    assert len(await ground.names()) == 5


async def test_whom_a_person_paused_stays_paused_and_nobody_resumes_a_dealer_who_is_held(
    ground: Ground,
) -> None:
    """`resume` is refused while a move holds him; afterwards his own pause stands."""
    row = await ground.dealer()
    refused: list[str] = []

    class Meanwhile(AtWork):
        async def busy(self, empresa_id: int) -> list[str]:
            async with ground.tools() as others:
                try:
                    await Empresas(others.central).resume(empresa_id)
                except NotConfigured as error:
                    refused.append(str(error))
            return await super().busy(empresa_id)

    async with ground.tools() as tools:
        await Empresas(tools.central).pause(row.id, "inventário")
    async with ground.tools(processes=Meanwhile(ground.redis)) as tools:
        await move.move(tools, row.id, *ground.elsewhere)
        after = await tools.row(row.id)

    assert "a move holds it" in refused[0]
    assert (after.status, after.pause_reason) == ("pausado", "inventário")


async def test_nobody_writes_at_the_old_server_once_it_is_copied(ground: Ground) -> None:
    """Even a session that no lease stands for is over before the copy, its transaction undone."""
    row = await ground.dealer()

    async def write_all_the_while() -> None:
        async with (
            ground.installation.tenancy() as tenancy,
            tenancy.pools.transaction(row.id) as conn,
            ground.tools() as tools,
        ):
            await conn.execute("UPDATE customers SET name = 'written too late'")
            await move.move(tools, row.id, *ground.elsewhere)

    with pytest.raises(CommitUnknown):
        await write_all_the_while()

    assert "written too late" not in await ground.names()


async def test_a_server_that_is_away_while_a_move_is_taken_back_is_no_trap(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He stays held, whole; the same command holds him anew and brings the move to its end."""
    row = await ground.dealer()
    unlock = server.unlock_account

    async def away(conn: Connection, user: str, host: str) -> None:
        raise TenantUnavailable(row.id)

    monkeypatch.setattr(server, "unlock_account", away)
    async with ground.tools() as tools:
        with pytest.raises(TenantUnavailable):
            await move.move(tools, row.id, *ground.elsewhere)
        assert (await ground.row())["status"] == "pausado"
        with pytest.raises(NotConfigured, match="a move holds it"):
            await Empresas(tools.central).resume(row.id)
        monkeypatch.setattr(server, "unlock_account", unlock)
        await move.move(tools, row.id, *ground.elsewhere)

    assert (await ground.row())["status"] == "ativo"
    assert (await ground.names())[-1] == TRICKY


async def test_a_move_waits_for_a_change_of_the_password(ground: Ground) -> None:
    """While two passwords open, he is neither held nor copied."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        await tools.central.execute(
            "INSERT INTO trocas_senha (empresa_id, versao, ultima_conexao) VALUES (%s, 2, 1)",
            (row.id,),
        )
        with pytest.raises(NotConfigured, match="rotate-password"):
            await move.move(tools, row.id, *ground.elsewhere)
        assert (await tools.row(row.id)).versao == row.versao

"""A database or server that fails is left alone, and found again as soon as it may be tried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from schema.errors import HelixError, TenantOnHold, TenantRefused, TenantUnavailable, WrongTenant
from tenancy.breaker import Breaker, State
from tenancy.keyring import password_of
from tenancy.names import user_of
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.tenancy.peers import Relay, relay, until


@dataclass(slots=True)
class Site:
    """Three empresas on a server that is reached through a relay."""

    installation: Installation
    tenancy: Tenancy
    way: Relay
    ids: list[int]
    passed_s: float = field(default=0.0)

    async def ask(self, empresa_id: int) -> object:
        """42, or an error."""
        async with self.tenancy.pools.connection(empresa_id) as conn:
            row = await conn.fetch_one("SELECT 42")
        return None if row is None else row[0]

    async def all_ask(self, times: int = 1) -> list[object]:
        """Side by side; errors among the results."""
        asking = (self.ask(number) for number in self.ids * times)
        return list(await asyncio.gather(*asking, return_exceptions=True))

    async def break_server(self) -> None:
        """Until its breaker is open."""
        self.way.cut()
        for _ in range(3):
            with pytest.raises(TenantUnavailable):
                await self.ask(self.ids[0])
        assert self.breaker.state is State.OPEN

    @property
    def breaker(self) -> Breaker:
        """Of the server."""
        return self.tenancy.pools.gate("127.0.0.1", self.way.port).breaker

    def let_pass(self, breaker: Breaker, seconds: float) -> None:
        """The breaker's clock goes on, nobody else's."""
        self.passed_s += seconds
        clock, passed_s = asyncio.get_running_loop().time, self.passed_s
        breaker._clock = lambda: clock() + passed_s


@pytest.fixture
async def site(installation: Installation) -> AsyncIterator[Site]:
    """With the registry read at every use."""
    ids = [(await installation.create(number)).id for number in (1, 2, 3)]
    async with relay(installation.server.host, installation.server.port) as way:
        await installation.central("UPDATE empresas SET db_port = %s", (way.port,))
        async with installation.tenancy() as tenancy:
            yield Site(installation, tenancy, way, ids)


async def test_a_resting_server_is_not_touched(site: Site) -> None:
    """Callers learn at once when the next try is; no connection is attempted meanwhile."""
    with capture_logs() as logs:
        await site.break_server()
        accepted = site.way.accepted
        results = await site.all_ask(10)

    assert site.way.accepted == accepted
    for result in results:
        assert isinstance(result, TenantOnHold)
        assert 0 < result.retry_after_s <= 1.2
    assert [line["event"] for line in logs] == ["database server rests"]


async def test_one_try_at_a_time_finds_out_and_success_lets_all_in(site: Site) -> None:
    """When the time has come, however many ask: one connection, then everybody."""
    await site.break_server()
    accepted = site.way.accepted
    site.let_pass(site.breaker, 1.3)

    assert all(isinstance(result, TenantUnavailable) for result in await site.all_ask(10))
    assert site.way.accepted == accepted + 1
    assert site.breaker.retry_after_s > 1.5  # doubled

    site.way.restore()
    site.let_pass(site.breaker, 2.5)
    with capture_logs() as logs:
        results = await site.all_ask(10)
    assert results.count(42) == 1
    assert await site.all_ask(10) == [42] * 30
    assert [line["event"] for line in logs] == ["database server answers again"]


async def test_a_cancelled_probe_leaves_the_next_one_its_chance(site: Site) -> None:
    """A job that is cancelled says nothing of the server."""
    await site.break_server()
    site.way.restore()
    site.way.swallow()
    site.let_pass(site.breaker, 1.3)
    probe = asyncio.create_task(site.ask(site.ids[0]))

    async def out() -> bool:
        return site.breaker.state is State.PROBING

    await until(out)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    site.way.restore()

    assert await site.ask(site.ids[1]) == 42


async def test_a_probe_that_finds_an_idle_connection_asks_the_server(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection looks alive, and proves nothing: all would be let in to wait."""
    monkeypatch.setattr("tenancy.pool._PING_S", 0.1)
    ids = [(await installation.create(number)).id for number in (1, 2)]
    async with (
        relay(installation.server.host, installation.server.port) as way,
        installation.tenancy(tenancy_connect_timeout_s=0.2) as tenancy,
    ):
        await installation.central("UPDATE empresas SET db_port = %s", (way.port,))
        site = Site(installation, tenancy, way, ids)
        assert await site.ask(ids[1]) == 42
        way.swallow()
        for _ in range(3):
            with pytest.raises(TenantUnavailable):
                await site.ask(ids[0])
        site.let_pass(site.breaker, 1.3)

        with pytest.raises(TenantOnHold):
            await site.ask(ids[1])
        assert site.breaker.state is State.OPEN


@pytest.mark.parametrize("trouble", ["cut", "swallow", "break_off"])
async def test_whatever_is_wrong_with_the_way_rests_the_server(
    installation: Installation, trouble: str
) -> None:
    """Refused, silent, or hung up in mid-greeting: three times, and nobody waits any more."""
    row = await installation.create()
    async with (
        relay(installation.server.host, installation.server.port) as way,
        installation.tenancy(tenancy_connect_timeout_s=0.1) as tenancy,
    ):
        await installation.central("UPDATE empresas SET db_port = %s", (way.port,))
        if trouble == "break_off":
            way.break_off(9)
        else:
            getattr(way, trouble)()
        site = Site(installation, tenancy, way, [row.id])
        for _ in range(3):
            with pytest.raises(TenantUnavailable):
                await site.ask(row.id)
        with pytest.raises(TenantOnHold):
            await site.ask(row.id)


async def test_connections_that_break_at_work_rest_the_server(site: Site) -> None:
    """Of several empresas at once; of one alone they may have been ended by hand."""

    async def lose(empresa_id: int) -> None:
        async with site.tenancy.pools.connection(empresa_id) as conn:
            held.append(empresa_id)
            await broken.wait()
            with pytest.raises(TenantUnavailable):
                await conn.fetch_one("SELECT 1")

    for ids, state in ((site.ids[:1] * 4, State.CLOSED), (site.ids * 2, State.OPEN)):
        held: list[int] = []
        broken = asyncio.Event()
        site.way.restore()
        losing = [asyncio.create_task(lose(number)) for number in ids]

        async def all_hold(count: int = len(ids), held: list[int] = held) -> bool:
            return len(held) == count

        await until(all_hold)
        site.way.cut()
        broken.set()
        await asyncio.gather(*losing)
        assert site.breaker.state is state


async def test_a_refused_login_is_looked_up_once_and_then_left_alone(site: Site) -> None:
    """However many come: one question to the registry; the other empresas notice nothing."""
    sick, well = site.ids[0], site.ids[1]
    keyring = site.installation.settings.keyring()
    wrong = keyring.seal("wrong", purpose=password_of(sick))
    await site.installation.central(
        "UPDATE empresas SET db_password = %s WHERE id = %s", (wrong, sick)
    )
    with capture_logs() as logs:
        results = await asyncio.gather(*(site.ask(sick) for _ in range(20)), return_exceptions=True)
        accepted = site.way.accepted
        with pytest.raises(TenantOnHold) as caught:
            await site.ask(sick)

    assert all(isinstance(result, TenantRefused | TenantOnHold) for result in results)
    assert any(isinstance(result, TenantRefused) for result in results)
    assert site.way.accepted == accepted <= 4
    assert 20 < caught.value.retry_after_s <= 36
    assert [line["event"] for line in logs] == ["empresa on hold"]
    assert await site.ask(well) == 42
    assert site.breaker.state is State.CLOSED  # a server that refuses answers


async def test_a_row_that_has_changed_is_taken_up_without_an_error(
    installation: Installation,
) -> None:
    """The cached password is refused, the registry knows the new one: the caller is served."""
    row = await installation.create()
    keyring = installation.settings.keyring()
    async with installation.tenancy(tenancy_registry_fresh_s=300) as tenancy:

        async def ask() -> object:
            async with tenancy.pools.connection(row.id) as conn:
                return await conn.fetch_one("SELECT 42")

        assert await ask() == (42,)
        await installation.sql("SET PASSWORD FOR %s@'%%' = PASSWORD('new')", (user_of(row.id),))
        new = keyring.seal("new", purpose=password_of(row.id))
        await installation.central("UPDATE empresas SET db_password = %s", (new,))
        pool = tenancy.pools.pool(row.id)
        assert pool is not None
        pool.reap(idle_s=0)

        assert await asyncio.gather(*(ask() for _ in range(20))) == [(42,)] * 20


async def test_a_row_that_is_mended_ends_the_wait_at_once(site: Site) -> None:
    """The breaker belongs to what was refused, not to the empresa."""
    sick = site.ids[0]
    await site.installation.central("UPDATE empresas SET db_user = 'nobody' WHERE id = %s", (sick,))
    with pytest.raises(TenantRefused):
        await site.ask(sick)
    await site.installation.central(
        "UPDATE empresas SET db_user = %s WHERE id = %s", (user_of(sick), sick)
    )

    assert await site.ask(sick) == 42


async def test_a_row_that_points_at_another_dealer_is_an_alarm(site: Site) -> None:
    """It is the one thing that somebody must be woken for."""
    one, other = site.ids[:2]
    await site.installation.central(
        "UPDATE empresas a, empresas b SET a.db_port = 1 WHERE a.id = %s AND b.id = %s",
        (other, one),
    )
    keyring = site.installation.settings.keyring()
    ((token,),) = await site.installation.central(
        "SELECT db_password FROM empresas WHERE id = %s", (other,)
    )
    stolen = keyring.seal(keyring.open(token, purpose=password_of(other)), purpose=password_of(one))
    await site.installation.central(
        "UPDATE empresas a, empresas b SET a.db_name = b.db_name, a.db_user = b.db_user,"
        " a.db_password = %s WHERE a.id = %s AND b.id = %s",
        (stolen, one, other),
    )
    with capture_logs() as logs, pytest.raises(WrongTenant):
        await site.ask(one)

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("empresa on hold", "critical")
    ]
    with pytest.raises(TenantOnHold):
        await site.ask(one)


async def test_the_servers_own_limit_is_waited_out(site: Site) -> None:
    """1226 says that others hold the connections; nobody fails and no breaker opens."""
    empresa_id = site.ids[0]
    await site.installation.sql(
        "ALTER USER %s@'%%' WITH MAX_USER_CONNECTIONS 1", (user_of(empresa_id),)
    )

    async def slow() -> object:
        async with site.tenancy.pools.connection(empresa_id) as conn:
            return await conn.fetch_one("SELECT SLEEP(0.02)")

    assert await asyncio.gather(*(slow() for _ in range(12))) == [(0,)] * 12
    pool = site.tenancy.pools.pool(empresa_id)
    assert pool is not None
    assert (pool.breaker.state, site.breaker.state) == (State.CLOSED, State.CLOSED)


async def test_a_statement_that_fails_says_nothing_of_the_way(site: Site) -> None:
    """Duplicates, missing tables and the like never rest anything."""
    for _ in range(20):
        with pytest.raises(HelixError):
            async with site.tenancy.pools.connection(site.ids[0]) as conn:
                await conn.fetch_one("SELECT no_column FROM no_table")
    pool = site.tenancy.pools.pool(site.ids[0])
    assert pool is not None
    assert (pool.breaker.state, site.breaker.state) == (State.CLOSED, State.CLOSED)

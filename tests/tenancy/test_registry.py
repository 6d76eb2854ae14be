"""The registry answers from memory, notices changes, and outlives the central database."""

from __future__ import annotations

import asyncio

import pytest

from schema.errors import CentralUnavailable, UnknownEmpresa
from tenancy.channels import add_channel
from tenancy.fresh import FreshCache
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.tenancy.peers import relay, until


async def test_known_answers_outlive_the_central_database(installation: Installation) -> None:
    """Dealers and channels known before go on being served; unknown ones wait."""
    row = await installation.create()
    settings = installation.settings
    async with (
        relay(settings.db_host, settings.db_port) as way,
        installation.tenancy(db_port=way.port) as tenancy,
    ):
        await _add(tenancy, row.id)
        before = await tenancy.registry.tenant(row.id)
        channel = await tenancy.registry.channel("waha", "loja")
        way.cut()

        assert await tenancy.registry.tenant(row.id) == before
        assert await tenancy.registry.channel("waha", "loja") == channel
        async with tenancy.pools.connection(row.id) as conn:
            assert await conn.fetch_one("SELECT 1") == (1,)
        with pytest.raises(CentralUnavailable):
            await tenancy.registry.tenant(row.id + 1)
        way.restore()
        with pytest.raises(UnknownEmpresa):
            await tenancy.registry.tenant(row.id + 1)


async def test_changes_are_seen_when_an_answer_is_no_longer_fresh(
    installation: Installation,
) -> None:
    """A fresh answer is kept; forget() asks at once; freshness 0 asks each time."""
    row = await installation.create()
    async with (
        installation.tenancy(tenancy_registry_fresh_s=60) as keeping,
        installation.tenancy(tenancy_registry_fresh_s=0) as asking,
    ):
        for tenancy in (keeping, asking):
            assert (await tenancy.registry.tenant(row.id)).bot_ativo
        await installation.central("UPDATE empresas SET bot_ativo = 0")

        assert (await keeping.registry.tenant(row.id)).bot_ativo
        assert not (await asking.registry.tenant(row.id)).bot_ativo
        keeping.registry.forget(row.id)
        assert not (await keeping.registry.tenant(row.id)).bot_ativo


async def test_a_channel_is_found_by_each_of_its_names(installation: Installation) -> None:
    """By gateway and identifier (whose case counts), by webhook token, by id, by empresa."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        added = await _add(tenancy, row.id)
        registry = tenancy.registry

        channel = await registry.channel("waha", "loja")
        assert channel is not None
        assert channel.credentials == {"api_key": "secret"}
        assert await registry.channel_by_token(added) == channel
        assert await registry.channel_by_id(channel.id) == channel
        assert await registry.channels(row.id) == (channel,)
        assert await registry.channel("waha", "LOJA") is None
        assert await registry.channel("cloud_api", "loja") is None
        assert await registry.channel_by_token("não-ascii") is None
        assert await registry.channel_by_id(0) is None


async def _add(tenancy: Tenancy, empresa_id: int) -> str:
    async with tenancy.central.transaction() as conn:
        channel = await add_channel(
            conn,
            tenancy.keyring,
            empresa_id=empresa_id,
            gateway="waha",
            identifier="loja",
            credentials={"api_key": "secret"},
        )
    return channel.webhook_token


async def test_one_read_serves_all_who_ask_and_no_cancel_stops_it() -> None:
    """The first caller may be cancelled; the others get the answer of its read."""
    reads: list[str] = []
    go_on = asyncio.Event()

    async def read(key: str) -> str:
        reads.append(key)
        await go_on.wait()
        return key.upper()

    cache = FreshCache(read, fresh_s=60)
    first, *others = [asyncio.create_task(cache.get("a")) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    go_on.set()

    assert await asyncio.gather(*others) == ["A"] * 4
    assert reads == ["a"]


async def test_a_slow_registry_holds_a_known_answer_back_only_shortly() -> None:
    """While a new read hangs, callers go on with what they know."""
    answers = asyncio.Queue[str]()
    answers.put_nowait("old")
    cache: FreshCache[str, str] = FreshCache(lambda _key: answers.get(), fresh_s=0)
    assert await cache.get("a") == "old"

    assert await asyncio.wait_for(cache.get("a"), 2) == "old"

    answers.put_nowait("new")

    async def known() -> bool:
        return await cache.get("a") == "new"

    await until(known)
    await cache.close()


async def test_a_known_answer_lasts_for_hours_without_the_registry() -> None:
    """Dealers go on while the central database is mended, however long that takes; each try to
    read anew is put off a little, and the first one that works counts."""
    now, down = 0.0, False
    reads = 0

    async def read(_key: str) -> str:
        nonlocal reads
        reads += 1
        if down:
            raise CentralUnavailable("down")
        return f"as of {now:g}"

    cache = FreshCache(read, fresh_s=5, clock=lambda: now)
    assert await cache.get("a") == "as of 0"
    down = True
    for moment in (6, 6.5, 3_600, 90_000):
        now = moment
        assert await cache.get("a") == "as of 0"
    assert reads == 4  # not at 6.5: it had just been tried

    down = False
    now = 90_002
    assert await cache.get("a") == "as of 90002"


async def test_made_up_keys_do_not_fill_the_memory() -> None:
    """Tokens come from outside: the cache keeps a bounded number of them."""

    async def read(_key: int) -> None:
        return None

    cache: FreshCache[int, None] = FreshCache(read, fresh_s=60, max_entries=10)
    for key in range(100):
        await cache.get(key)

    assert len(cache._entries) == 10

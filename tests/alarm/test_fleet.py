"""What all dealers share: processes, Redis, databases, dead letters."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from schema.errors import HelixError
from tests.alarm.watching import now_ms, open_kinds, watcher
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event
from worker.alarm import fleet
from worker.alarm.fleet import Memory
from worker.dead.find import Filter, Finder
from worker.presence import Presence
from worker.queue.dead_letters import DeadLetters
from worker.queue.dead_shelf import DeadShelf
from worker.report import report_of


async def test_too_few_workers_are_told(redis: Redis) -> None:
    """None, or fewer than there should be."""
    (none,) = await fleet.workers(redis, least=1)
    assert none.text == "no worker runs"
    presence = Presence(redis, dict)
    await presence.show()

    assert await fleet.workers(redis, least=1) == []
    assert len(await fleet.workers(redis, least=2)) == 1
    await presence.leave()
    assert len(await fleet.workers(redis, least=1)) == 1


async def test_new_dead_letters_are_told_by_cause_and_found_under_its_name(shop: Shop) -> None:
    """Three of one cause are one alarm; the name in it is the one that `helix dead` takes."""
    keep = DeadLetters(shop.redis)
    for number in range(3):
        await keep.keep_reply(shop.empresa_id, number, error="SendRefused: no")
    await keep.keep_late(shop.empresa_id, 5, since_ms=1)
    await keep.keep_unknown_channel("evolution", "nova", b"{}", canal_id=1)
    await keep.keep_unreadable(1, b"<", error="no JSON")

    found = await fleet.new_dead_letters(shop.redis, since_ms=0)

    groups = await Finder(DeadShelf(shop.redis)).groups(Filter())
    assert {one.subject: one.facts["letters"] for one in found} == {
        group.name: group.letters for group in groups
    }
    later = await now_ms(shop) + 1
    assert await fleet.new_dead_letters(shop.redis, since_ms=later) == []


async def fails(shop: Shop, installation: Installation, column: str, value: object) -> None:
    """The dealer's database is used by a worker whose registry row is wrong like this."""
    await installation.central(
        f"UPDATE empresas SET {column} = %s, versao = versao + 1 WHERE id = %s",  # noqa: S608
        (value, shop.empresa_id),
    )
    tenancy = shop.jobs.tenancy
    tenancy.registry.forget(shop.empresa_id)
    for _ in range(3):
        with pytest.raises(HelixError):
            async with tenancy.pools.connection(shop.empresa_id):
                pass


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("db_port", 1, "database_server"), ("db_name", "nowhere", "empresa_database")],
)
async def test_a_database_that_is_down_is_told_until_no_worker_says_so(
    shop: Shop, installation: Installation, column: str, value: object, told: str
) -> None:
    """By what the workers say of their breakers: no database is asked for it."""
    figures = shop.jobs.tenancy.figures
    presence = Presence(shop.redis, lambda: report_of(figures()).model_dump())
    await fails(shop, installation, column, value)
    await presence.show()
    async with watcher(shop) as one:
        await one.round()
        assert await open_kinds(shop) == {told}
        await presence.leave()
        await one.round()
    assert await open_kinds(shop) == set()


async def test_an_inbox_near_its_limit_is_told(shop: Shop) -> None:
    """Before events are refused."""
    redis: Any = shop.redis  # typed as if a synchronous client might have been given
    await redis.hset("helix:inbox_limits", "events", "10")
    await shop.push(*(event(f"oi {number}") for number in range(7)))
    assert await fleet.inboxes_full(shop.redis, share=0.8) == []
    await shop.push(event("oi 8"))

    (found,) = await fleet.inboxes_full(shop.redis, share=0.8)

    assert (found.empresa_id, found.facts) == (shop.empresa_id, {"events": 8, "most": 10})


async def test_a_full_redis_is_told(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own figures; one without a limit is never full."""
    real = await fleet.memory(redis)
    assert real.used > 0
    for memory, told in ((Memory(79, 100), 0), (Memory(80, 100), 1), (Memory(80, 0), 0)):

        async def says(_: Redis, memory: Memory = memory) -> Memory:
            return memory

        monkeypatch.setattr(fleet, "memory", says)
        assert len(await fleet.redis_full(redis, share=0.8)) == told

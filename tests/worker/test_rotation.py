"""A dealer's password changes while real worker processes serve the dealer."""

from __future__ import annotations

from redis.asyncio import Redis

from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from tests.worker.test_processes import BUYERS, open_city
from worker.presence import PROCESSES, Presence, Workers


async def test_a_password_changes_while_two_workers_serve(
    installation: Installation, redis_url: str
) -> None:
    """The command waits for both workers; buyers are answered before, meanwhile and after."""
    async with open_city(installation, redis_url) as city:
        for _ in range(2):
            await city.stack.worker()
        for buyer in BUYERS[:4]:
            await city.one.phone.buyer_writes(buyer, "tem argo?")
        await city.one.phone.wait_for(4)
        env = {**installation.environment(), "REDIS_URL": redis_url}
        stored = "SELECT db_password FROM empresas WHERE id = %s"
        before = await installation.central(stored, (city.one.empresa_id,))

        ran = await helix("empresa", "rotate-password", str(city.one.empresa_id), "--json", env=env)

        assert ran.code == 0, ran.err
        assert await installation.central(stored, (city.one.empresa_id,)) != before
        assert "old password dropped" in ran.err
        for buyer in BUYERS[4:8]:
            await city.one.phone.buyer_writes(buyer, "tem argo?")
        await city.one.phone.wait_for(8)


async def test_only_processes_that_run_are_waited_for(redis: Redis) -> None:
    """One that left or was silent for long is not; one that has the version is not either."""
    one, two, silent = (Presence(redis, dict) for _ in range(3))
    workers = Workers(redis)
    for presence in (one, two, silent):
        await presence.show()
    await redis.zincrby(PROCESSES, -60_000, silent.name)
    assert await workers.missing(7, 2) == sorted([one.name, two.name])

    await one.acknowledge(7, 2)
    assert await workers.missing(7, 2) == [two.name]
    assert await workers.missing(7, 3) == sorted([one.name, two.name])

    await two.leave()
    assert await workers.missing(7, 2) == []
    assert await workers.reports() == {one.name: {}}

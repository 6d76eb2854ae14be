"""A worker that is newer than a dealer's schema: his events wait, all others are served."""

from __future__ import annotations

import pytest

from schema.errors import TenantOutdated
from schema.steps import Kind, needed, versions
from tenancy.names import database_of
from tests.cli.helix import helix
from tests.fleet.old import age
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from tests.worker.test_processes import BUYERS, open_city
from worker.queue.keys import Task

NEEDED = needed(versions(Kind.TENANT)).number


async def _age(shop: Shop) -> None:
    """And no connection is open that saw the schema of before."""
    await age(shop.installation, shop.empresa_id)
    await shop.jobs.tenancy.pools.close(shop.empresa_id)
    await shop.tenancy.pools.close(shop.empresa_id)


async def test_events_wait_for_the_migration_and_nobody_is_to_blame(
    installation: Installation, redis_url: str
) -> None:
    """They stay on the inbox, without a dead letter and without a failure that makes the next wait
    longer; the other dealer is answered; migrated, the same process goes on."""
    async with (
        open_shop(installation, redis_url, 1) as old,
        open_shop(installation, redis_url, 2) as new,
    ):
        await _age(old)

        await old.handle(event("tem onix?"))
        await new.handle(event("tem argo?", channel="loja-2"))

        assert (await old.waiting(), await old.dead()) == (1, [])
        assert not await old.redis.exists(f"helix:{{{old.empresa_id}}}:drain_inbox:failures")
        assert len(new.phone.outbox) == 1

        ran = await helix("migrate", "--json", env=installation.environment())
        assert (ran.code, ran.json["failed"]) == (0, 0), ran.err
        for task in (Task.DRAIN, Task.DELIVER):
            await old.next_job_may_run(task)
        await old.handle()
        assert (await old.waiting(), len(old.phone.outbox)) == (0, 1)


async def test_the_error_says_what_is_missing_and_what_to_do(shop: Shop) -> None:
    """A step that is not done, one that was begun, and a database that nobody migrated."""
    await _age(shop)
    pools, name = shop.tenancy.pools, database_of(shop.empresa_id)
    with pytest.raises(TenantOutdated, match=rf"version {NEEDED}.*helix migrate --empresa"):
        async with pools.connection(shop.empresa_id):
            pytest.fail("it was lent")
    await shop.installation.sql(
        f"INSERT INTO `{name}`._migrations (version, step, checksum, state, started_at)"  # noqa: S608
        f" VALUES ({NEEDED}, 1, 'x', 'executando', NOW())"
    )
    with pytest.raises(TenantOutdated):
        async with pools.connection(shop.empresa_id):
            pytest.fail("it was lent")
    await shop.installation.sql(f"DROP TABLE `{name}`._migrations")
    with pytest.raises(TenantOutdated):
        async with pools.connection(shop.empresa_id):
            pytest.fail("it was lent")
    assert shop.tenancy.pools.gate(*pool_address(shop)).breaker.retry_after_s == 0


def pool_address(shop: Shop) -> tuple[str, int]:
    """The dealer's server: it answered, and is not left alone."""
    return shop.installation.settings.db_host, shop.installation.settings.db_port


async def test_on_real_processes_the_work_goes_on_by_itself(
    installation: Installation, redis_url: str
) -> None:
    """A new worker begins before `helix migrate`: it says why one dealer waits, serves the other,
    and hears of the migration."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    async with open_city(installation, redis_url) as city:
        await age(installation, city.one.empresa_id)
        worker = await city.stack.worker()

        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.two.phone.buyer_writes(BUYERS[1], "tem argo?")

        line = await worker.wait_for("task postponed")
        assert line["empresa_id"] == city.one.empresa_id
        assert f"version {NEEDED}" in line["reason"]
        await city.two.phone.wait_for(1)
        assert city.one.phone.outbox == []

        ran = await helix("migrate", "--json", env=env)
        assert ran.code == 0, ran.err
        await city.one.phone.wait_for(1)
        assert {push.status for push in city.one.phone.pushes} == {200}

"""A task whose way is broken waits longer each time; a busy dealer gives way to the others."""

from __future__ import annotations

from datetime import datetime

import pytest

from schema.errors import TenantUnavailable
from schema.events import Event
from tests.tenancy.installation import Installation
from tests.worker.shop import BY_THE_TEST, Shop, event, open_shop
from tests.worker.test_invariants_out import break_database
from worker.queue.job import under_lease
from worker.queue.keys import Task, TaskKeys
from worker.queue.lease import Lease


async def test_7_each_failure_in_a_row_doubles_the_wait(shop: Shop) -> None:
    """A sick dealer costs the workers less and less; who rings meanwhile changes nothing."""
    table = f"{_database(shop)}.mensagens"
    await shop.installation.sql(f"RENAME TABLE {table} TO {table}_velhas")
    await shop.push(event("alguém aí?"))
    for _ in range(5):
        await shop.next_job_may_run()
        before_ms = await now_ms(shop)
        await shop.drain()

    ((_, at_ms),) = await shop.queued()
    assert at_ms - before_ms >= 0.8 * 16_000
    assert await shop.redis.exists(TaskKeys(shop.empresa_id, Task.DRAIN).lease)


async def test_7_a_dealer_on_hold_waits_for_the_next_try_and_frees_the_worker(shop: Shop) -> None:
    """However often it failed before: when the server rests nothing is tried or counted."""
    await break_database(shop, port=1)
    await shop.push(event("alguém aí?"))
    for _ in range(3):  # the third failure in a row opens the breaker for about a second
        await shop.next_job_may_run()
        await shop.drain()
    failures = await shop.redis.get(TaskKeys(shop.empresa_id, Task.DRAIN).failures)

    for _ in range(20):
        await shop.next_job_may_run()
        before_ms = await now_ms(shop)
        await shop.drain()
        ((_, at_ms),) = await shop.queued()
        assert 0 < at_ms - before_ms <= 1.2 * 1.2 * 1000 + 100

    assert await shop.redis.get(TaskKeys(shop.empresa_id, Task.DRAIN).failures) == failures == b"2"
    assert await shop.waiting() == 1


async def test_7_a_refused_dealer_is_looked_at_again_soon(shop: Shop) -> None:
    """The breaker leaves his database alone for longer, but his row may be mended any time."""
    await shop.installation.central(
        "UPDATE empresas SET db_user = 'nobody', versao = versao + 1 WHERE id = %s",
        (shop.empresa_id,),
    )
    await shop.tenancy.pools.close(shop.empresa_id)
    await shop.push(event("alguém aí?"))
    for _ in range(2):
        await shop.next_job_may_run()
        before_ms = await now_ms(shop)
        await shop.drain()

    ((_, at_ms),) = await shop.queued()
    assert 20_000 <= at_ms - before_ms <= 36_100
    assert await shop.waiting() == 1


async def test_a_task_that_fails_and_has_lost_its_lease_leaves_it_to_the_new_holder(
    shop: Shop,
) -> None:
    """It slept, its database connection was gone when it woke up: nothing to tell arq, no alarm."""
    task = TaskKeys(shop.empresa_id, Task.DRAIN)

    async def work(_lease: Lease) -> datetime | None:
        await shop.redis.set(task.lease, "the new holder's")
        raise TenantUnavailable(shop.empresa_id, retry_after_s=1)

    await under_lease(shop.desk(), Task.DRAIN, shop.empresa_id, BY_THE_TEST, work)

    assert await shop.redis.get(task.lease) == b"the new holder's"


async def test_7_a_success_ends_the_row_of_failures(shop: Shop) -> None:
    """The next trouble, hours later, starts again with a short wait."""
    port = shop.installation.settings.db_port
    failures = TaskKeys(shop.empresa_id, Task.DRAIN).failures
    await break_database(shop, port=1)
    await shop.push(event("alguém aí?"))
    await shop.drain()
    assert await shop.redis.get(failures) == b"1"

    await break_database(shop, port=port)
    await shop.next_job_may_run()
    await shop.drain()

    assert await shop.texts("recebida") == ["alguém aí?"]
    assert not await shop.redis.exists(failures)


@pytest.mark.parametrize(
    "trouble",
    [
        "UPDATE empresas SET db_name = NULL, versao = versao + 1 WHERE id = %s",
        "UPDATE empresas SET db_password = 'no token', versao = versao + 1 WHERE id = %s",
    ],
)
async def test_7_a_misconfigured_dealer_loses_nothing(shop: Shop, trouble: str) -> None:
    """A person mends it: until then his events stay on his inbox and are no dead letters."""
    await shop.installation.central(trouble, (shop.empresa_id,))
    await shop.tenancy.pools.close(shop.empresa_id)
    await shop.push(event("alguém aí?"))
    await shop.redis.delete("arq:queue")

    await shop.drain()

    assert await shop.waiting() == 1
    assert await shop.dead() == []
    assert len(await shop.queued()) == 1


async def test_7_a_busy_dealer_gives_way(installation: Installation, redis_url: str) -> None:
    """Past its time slice a drain ends after the batch in hand; the rest queues behind others."""
    async with open_shop(installation, redis_url, batch=2, slice_s=0.000001) as shop:
        await shop.push(*(event(text) for text in "abcde"))
        before_ms = await now_ms(shop)

        await shop.drain()

        assert await shop.texts("recebida") == ["a", "b"]
        assert await shop.waiting() == 3
        ((_, at_ms),) = await shop.queued()
        assert at_ms >= before_ms


async def test_7_a_delivery_that_gives_way_has_sent_something(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow the dealer's database was to open: else it would come round for ever."""
    monkeypatch.setattr("worker.deliver.job._READ_AT_ONCE", 1)
    async with open_shop(installation, redis_url, slice_s=0.000001) as shop:
        await shop.push(event("a"), event("b", phone="5531999990001"))
        await shop.drain()
        await shop.redis.delete("arq:queue:deliver")

        await shop.deliver()

        assert [sent.text for sent in shop.phone.outbox] == ["eco: a"]
        assert len(await shop.queued(Task.DELIVER)) == 1
        await shop.deliver()
        assert [sent.text for sent in shop.phone.outbox] == ["eco: a", "eco: b"]


async def test_9_one_bad_event_costs_the_others_of_its_batch_nothing(shop: Shop) -> None:
    """Stored one by one, in their order: also those of the same buyer behind it."""
    await shop.installation.sql(
        f"ALTER TABLE empresa_{shop.empresa_id}_db.mensagens"
        " ADD CONSTRAINT veneno CHECK (conteudo <> 'veneno')"
    )
    bad = event("veneno")

    await shop.handle(event("antes"), bad, event("depois"))

    assert await shop.texts("recebida") == ["antes", "depois"]
    assert [Event.model_validate_json(letter["event"]) for letter in await shop.dead()] == [bad]


def _database(shop: Shop) -> str:
    return f"empresa_{shop.empresa_id}_db"


async def now_ms(shop: Shop) -> int:
    """By the clock that all workers share."""
    seconds, micros = await shop.redis.time()
    return int(seconds * 1000 + micros // 1000)

"""One worker at a time, and a ring that cannot get lost for long."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from tests.worker.shop import Shop, event
from worker.fence import pass_fence, raise_fence
from worker.queue.bell import Bell
from worker.queue.inbox import as_json
from worker.queue.keys import Task, TaskKeys, arq_job, inbox
from worker.queue.lease import FenceAhead, LeaseLost
from worker.sweep import sweep, sweep_all


async def test_one_worker_at_a_time(shop: Shop) -> None:
    """While one has the lease another gets none; once it is back, the next one does."""
    first = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert first is not None
    assert await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="b") is None

    await first.leave(next_at_ms=None)

    second = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="b")
    assert second is not None
    assert second.epoch > first.epoch


async def test_epochs_rise_also_when_redis_lost_its_data(shop: Shop) -> None:
    """The dealer's database remembers the last epoch; a smaller one would be shut out for ever."""
    before = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    await shop.redis.flushdb()
    after = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="b")

    assert before is not None
    assert after is not None
    assert after.epoch > before.epoch


async def test_a_lease_that_has_gone_is_noticed(shop: Shop) -> None:
    """Looking raises, leaving changes nothing, and a body that works on is cancelled."""
    keys = TaskKeys(shop.empresa_id, Task.DRAIN)
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    await shop.redis.set(keys.lease, b"somebody else")

    with pytest.raises(LeaseLost):
        await lease.look()
    assert not await lease.leave(next_at_ms=None)
    assert await shop.redis.get(keys.lease) == b"somebody else"


async def test_a_worker_that_slept_past_its_lease_writes_nothing(shop: Shop) -> None:
    """Fencing: once a newer lease has written, an older one is refused by the database."""
    async with shop.tenancy.pools.transaction(shop.empresa_id) as conn:
        await raise_fence(conn, Task.DRAIN, 150)
        assert await raise_fence(conn, Task.DRAIN, 200)  # it rose: passed, too
        assert not await raise_fence(conn, Task.DRAIN, 200)  # nothing rose: `pass_fence` decides
        with pytest.raises(FenceAhead):
            await raise_fence(conn, Task.DRAIN, 199)
    with pytest.raises(LeaseLost):
        await _write(shop, epoch=100)
    await _write(shop, epoch=200)


async def test_a_push_rings_once(shop: Shop) -> None:
    """However many events come, one job waits; its body is JSON that arq understands."""
    for _ in range(3):
        await shop.push(event(), event())

    ((job, _),) = await shop.queued()
    body = orjson.loads(await shop.redis.get(arq_job(job)))
    assert body["f"] == "drain_inbox"
    assert body["a"] == [shop.empresa_id]
    assert body["k"] == {}


async def test_a_push_while_a_worker_drains_is_seen_before_it_leaves(shop: Shop) -> None:
    """No job is queued meanwhile; leaving rings, so that nothing waits for the sweep."""
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    await lease.look()
    await shop.push(event())
    assert await shop.queued() == []

    await lease.leave(next_at_ms=None)

    assert len(await shop.queued()) == 1


async def test_what_was_rung_for_before_the_last_look_rings_no_more(shop: Shop) -> None:
    """An emptied inbox queues no job that would find nothing."""
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    await shop.push(event())
    look = await lease.look(most=10)
    assert len(look.entries) == 1

    await lease.leave(next_at_ms=None)

    assert await shop.queued() == []


async def test_the_last_look_reads_what_came_meanwhile_and_keeps_the_lease(shop: Shop) -> None:
    """The step that would end a drain is the one that sees that it is not over."""
    await shop.push(event("a"))
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a", most=10)
    assert lease is not None
    (first,) = (await lease.look(most=10)).entries
    await shop.push(event("b"))

    look = await lease.look_or_leave(done=first, most=10, next_at_ms=None, rings=[Task.DELIVER])

    assert not look.left
    assert len(look.entries) == 1
    assert look.entries[0] != first
    assert await shop.waiting() == 1
    assert await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="b") is None
    assert await shop.redis.zcard("arq:queue:deliver") == 0

    (second,) = look.entries
    over = await lease.look_or_leave(done=second, most=10, next_at_ms=None, rings=[Task.DELIVER])
    assert over.left
    assert await shop.waiting() == 0
    assert await shop.redis.zcard("arq:queue:deliver") == 1
    assert await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="c") is not None


async def test_a_ring_during_the_last_pass_is_not_lost(shop: Shop) -> None:
    """Of what was rung for without an entry the pass may have seen nothing: one comes again."""
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a", most=10)
    assert lease is not None
    await lease.look(most=10)
    assert not await Bell(shop.redis).ring(Task.DRAIN, shop.empresa_id)

    look = await lease.look_or_leave(done=None, most=10, next_at_ms=None, rings=[])

    assert look.left
    assert len(await shop.queued()) == 1


async def test_the_last_look_of_a_lost_lease_changes_nothing(shop: Shop) -> None:
    """Another worker has it by now: its entries stay, nobody is rung."""
    await shop.push(event())
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a", most=10)
    assert lease is not None
    (entry,) = (await lease.look(most=10)).entries
    await shop.redis.set(TaskKeys(shop.empresa_id, Task.DRAIN).lease, "the new holder's")

    with pytest.raises(LeaseLost):
        await lease.look_or_leave(done=entry, most=10, next_at_ms=None, rings=[Task.DELIVER])

    assert not lease.left
    assert await shop.waiting() == 1
    assert await shop.redis.zcard("arq:queue:deliver") == 0


async def test_what_was_read_with_the_lease_is_read_anew_after_a_wait(shop: Shop) -> None:
    """A job that was too early waits first; what came meanwhile is in its first look."""
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a", most=10)
    assert lease is not None
    await shop.push(event())
    lease.forget_what_was_read()

    assert len((await lease.look(most=10)).entries) == 1


async def test_a_lost_ring_is_rung_again(shop: Shop) -> None:
    """arq's keys are gone, the event is not: the sweep queues a job."""
    await shop.push(event())
    ((job, _),) = await shop.queued()
    await shop.redis.delete("arq:queue", arq_job(job))

    assert await sweep(Bell(shop.redis)) == 1
    assert await sweep(Bell(shop.redis)) == 0
    assert len(await shop.queued()) == 1


async def test_a_dead_workers_empresa_is_rung_for_once_its_lease_has_run_out(shop: Shop) -> None:
    """Not before: it may be alive. Two sweeps ring once."""
    desk = shop.desk()
    desk.life_ms = 60_000
    assert await desk.take(Task.DRAIN, shop.empresa_id, job_id="a") is not None
    await shop.push(event())
    assert await sweep(Bell(shop.redis)) == 0

    await shop.redis.delete(TaskKeys(shop.empresa_id, Task.DRAIN).lease)

    bell = Bell(shop.redis)
    assert sum(await asyncio.gather(sweep(bell), sweep(bell))) == 1


async def test_a_broken_way_is_left_alone_for_a_while(shop: Shop) -> None:
    """Whoever rings meanwhile leaves a mark only; afterwards one job looks."""
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    now_ms = (await lease.look()).now_ms
    await lease.leave(next_at_ms=now_ms + 30_000, wait=True)

    await shop.push(event())
    assert await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="b") is None
    assert await sweep(Bell(shop.redis)) == 0

    ((_, at_ms),) = await shop.queued()
    assert at_ms == now_ms + 30_000


async def _write(shop: Shop, *, epoch: int) -> None:
    async with shop.tenancy.pools.transaction(shop.empresa_id) as conn:
        await raise_fence(conn, Task.DRAIN, epoch)
        await pass_fence(conn, Task.DRAIN, epoch)


async def test_a_lease_that_is_given_back_while_it_is_extended(shop: Shop) -> None:
    """The work may end at any moment of the keeper's: nobody waits for a keeper that goes on, and
    holds the dealer for ever."""
    desk = shop.desk()
    desk.life_ms = 200  # extended every 50 ms, which is when the work ends

    async def work(number: int) -> None:
        lease = await desk.take(Task.DRAIN, shop.empresa_id + number, job_id="a")
        assert lease is not None
        async with lease.kept():
            await asyncio.sleep(0.05 + number / 20_000)
        await lease.leave(next_at_ms=None)

    for _ in range(5):
        async with asyncio.timeout(10):
            await asyncio.gather(*map(work, range(60)))


@pytest.mark.parametrize("task", [Task.DRAIN, Task.DELIVER])
async def test_1_redis_whose_clock_was_set_back_does_not_stop_a_dealer(
    shop: Shop, task: Task
) -> None:
    """A failover to a server a minute behind, or data of yesterday: the dealer's database has seen
    an epoch that Redis would reach only later. The next lease beats it."""
    await shop.push(event("oi"))
    if task is Task.DELIVER:
        await shop.drain()
    seconds, _ = await shop.redis.time()
    async with shop.tenancy.pools.transaction(shop.empresa_id) as conn:
        await raise_fence(conn, task, (int(seconds) + 60) * 1_000_000)
    do = shop.drain if task is Task.DRAIN else shop.deliver

    await do()
    assert len(await shop.queued(task)) == 1
    await do()

    if task is Task.DRAIN:
        assert await shop.texts("recebida") == ["oi"]
    else:
        assert [sent.text for sent in shop.phone.outbox] == ["eco: oi"]


async def test_1_an_id_that_was_given_twice_drops_nothing_unread(shop: Shop) -> None:
    """A failover lost an entry that was read already, and its id went to another one."""
    await shop.push(event("lost"))
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="a")
    assert lease is not None
    (read,) = (await lease.look(most=10)).entries
    await shop.redis.delete(inbox(shop.empresa_id))
    await shop.redis.xadd(
        inbox(shop.empresa_id), {"event": as_json(event("new")), "at": "1"}, id=read[0]
    )

    (kept,) = (await lease.look(done=read, most=10)).entries
    assert b"new" in kept[1][b"event"]
    assert not (await lease.look(done=kept, most=10)).entries


async def test_two_sweeps_at_once_ring_every_dealer_once(shop: Shop) -> None:
    """Also the round that asks the registry for all of them: one of two goes, and rings once."""
    await shop.redis.flushdb()

    async def active() -> list[int]:
        return [shop.empresa_id]

    bell = Bell(shop.redis)
    rung = await asyncio.gather(*(sweep_all(shop.redis, bell, active) for _ in range(2)))

    assert sorted(rung) == [0, 2]
    for task in (Task.DRAIN, Task.REMIND):
        assert len(await shop.queued(task)) == 1

"""One watcher at a time, and notices that reach the operator however his webhook fails."""

from __future__ import annotations

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis

from tests.alarm.receiver import SECRET, receiving
from tests.alarm.watching import limits, open_kinds, watcher
from tests.worker.shop import BUYER, Shop, event
from worker.alarm.book import NOTICES, Book, WatchLease, alarms
from worker.alarm.post import Poster
from worker.alarm.reconcile import Rules
from worker.alarm.values import Finding, Kind
from worker.queue.dead_letters import DeadLetters

FOUND = Finding(kind=Kind.BUYER_WAITS, subject="7", empresa_id=7, text="empresa 7: a buyer waits")
RULES = Rules(hold_ms=0, repeat_ms=3_600_000)


async def test_two_watchers_tell_one_alarm(shop: Shop) -> None:
    """Any number of workers: the one with the lease writes, the others look at nothing."""
    await DeadLetters(shop.redis).keep_reply(shop.empresa_id, 1, error="SendRefused: no")
    async with receiving() as receiver:
        there = {"webhook_url": receiver.url, "webhook_secret": SECRET}
        async with watcher(shop, **there) as one, watcher(shop, **there) as two:
            assert await one.round() is True
            assert await two.round() is False
            await one.round()
            await one.lease.leave()
            await shop.redis.delete("helix:alarms:watcher")
            assert await two.round() is True
            assert await one.round() is False

    assert [told[:2] for told in receiver.told()] == [("opened", "dead_letters")]


async def test_a_watcher_that_slept_past_its_lease_tells_nothing(redis: Redis) -> None:
    """Another has gone on: what the sleeper found is not written."""
    sleeper, other = WatchLease(redis, life_s=10), WatchLease(redis, life_s=10)
    book = Book(redis, RULES, queued=True)
    assert await sleeper.hold()
    await redis.delete("helix:alarms:watcher")
    assert await other.hold()

    assert await book.enter(sleeper, [FOUND], looked_at=set(Kind)) == []

    assert await alarms(redis) == {}
    assert await redis.exists(NOTICES) == 0


async def test_a_webhook_that_refuses_gets_them_later_once_in_order(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed each time; what was not taken stays in Redis, also when its process dies."""
    lease, book = WatchLease(redis, life_s=10), Book(redis, RULES, queued=True)
    await lease.hold()
    await book.enter(lease, [FOUND], looked_at=set(Kind))
    async with receiving() as receiver, aiohttp.ClientSession() as session:
        receiver.refuse = [500, 302]

        def poster() -> Poster:
            return Poster(redis, session, url=receiver.url, secret=SECRET)

        first = poster()
        assert await first.post() == 0
        assert await first.post() == 0  # not again at once
        assert len(receiver.bodies) == 1
        assert await poster().post() == 0  # a redirect is not followed
        await book.enter(lease, [], looked_at=set(Kind))
        assert await poster().post() == 2
        assert await poster().post() == 0

    assert receiver.told() == [("opened", "buyer_waits", "7"), ("over", "buyer_waits", "7")]
    assert receiver.signed == [True, True, True]
    assert receiver.notices[0]["id"] != receiver.notices[1]["id"]


async def test_two_posters_lose_nothing(redis: Redis) -> None:
    """One slept past its lease in the middle of a post: what the other queued since stays."""
    lease, book = WatchLease(redis, life_s=10), Book(redis, RULES, queued=True)
    await lease.hold()
    await book.enter(lease, [FOUND], looked_at=set(Kind))
    async with receiving() as receiver, aiohttp.ClientSession() as session:
        sleeper, other = (Poster(redis, session, url=receiver.url, secret=SECRET) for _ in range(2))

        async def meanwhile() -> None:
            assert await other.post() == 1
            await book.enter(lease, [], looked_at=set(Kind))

        receiver.meanwhile = meanwhile
        await sleeper.post()

    ids = [one["id"] for one in receiver.notices]
    assert [told[0] for told in receiver.told()] == ["opened", "opened", "over"]
    assert ids[0] == ids[1]
    assert await redis.exists(NOTICES) == 0


async def test_nothing_of_a_buyer_is_told(shop: Shop) -> None:
    """Ids, figures and causes: no number, name or text, whatever failed of it."""
    await shop.push(event("meu nome é Marisa Andrade"))
    await shop.drain()
    await DeadLetters(shop.redis).keep_event(
        shop.empresa_id,
        b'{"phone": "%s", "text": "Marisa Andrade"}' % BUYER.encode(),
        at_ms=1,
        origin="1-0",
        error=f"BadData: 'Marisa Andrade' of {BUYER} does not fit",
    )
    async with receiving() as receiver:
        there = {"webhook_url": receiver.url, "webhook_secret": SECRET, "buyer_wait_s": 0.001}
        async with watcher(shop, **there) as one:
            await one.round()

    assert {kind for _, kind, _ in receiver.told()} == {"dead_letters", "buyer_waits"}
    body = b"".join(receiver.bodies)
    assert b"Marisa" not in body
    assert BUYER.encode() not in body


async def test_a_look_that_fails_hides_and_ends_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other looks go on; alarms of what could not be seen stay open."""
    await shop.push(event("oi"))
    async with watcher(shop, buyer_wait_s=0.001) as one:
        await one.round()
        assert await open_kinds(shop) == {"buyer_waits"}

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr("worker.alarm.waits.Waits.look", broken)
        await DeadLetters(shop.redis).keep_reply(shop.empresa_id, 1, error="SendRefused: no")
        await one.round()

    assert await open_kinds(shop) == {"buyer_waits", "dead_letters"}


def test_a_webhook_without_a_secret_is_a_wrong_setting() -> None:
    """Nothing is posted unsigned; neither address nor secret shows in a repr."""
    with pytest.raises(ValidationError, match="ALARM_WEBHOOK_SECRET"):
        limits(webhook_url="https://example.com/hook")
    with pytest.raises(ValidationError, match="https://"):
        limits(webhook_url="example.com", webhook_secret="s")

    shown = repr(limits(webhook_url="https://example.com/TOKEN", webhook_secret="SECRET"))

    assert "TOKEN" not in shown
    assert SecretStr("SECRET").get_secret_value() not in shown

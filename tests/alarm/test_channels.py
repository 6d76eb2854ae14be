"""A number that falls silent is seen; a number that is always quiet is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from tests.alarm.watching import ZONE, limits, open_kinds, watcher
from tests.worker.shop import Shop, event
from worker.alarm.channels import Channels
from worker.alarm.directory import Entry, Known
from worker.alarm.heard import HEARD
from worker.alarm.values import Finding, Kind
from worker.clock import to_ms
from worker.queue.keys import STOPPED_CHANNELS

OPEN = "seg a sex 8h-18h"
MONDAY = datetime(2026, 11, 9, tzinfo=ZONE)


def known(horario: str | None = OPEN, *, status: str = "ativo") -> Known:
    """One dealer with one channel."""
    return Known({7: Entry(status=status, bot_ativo=True, horario=horario)}, {3: 7})


class Life:
    """A channel's weeks, as the watcher sees them."""

    def __init__(self, redis: Redis, directory: Known) -> None:
        self.redis, self.directory = redis, directory
        self.channels = Channels(redis, limits(), zone=ZONE)

    async def hears(self, at: datetime) -> None:
        """An event, and a look right after."""
        await self.redis.zadd(HEARD, {"3": to_ms(at)})
        assert await self.look(at) == []

    async def look(self, at: datetime) -> list[Finding]:
        """As the watcher does at this time."""
        return await self.channels.look(self.directory, now_ms=to_ms(at.astimezone(UTC)))

    async def two_weeks(self, *, every_h: int) -> datetime:
        """Events in opening hours; returns when the last one came: Friday, 18h or before."""
        at = MONDAY
        for day in (day for day in range(12) if day not in (5, 6)):
            for hour in range(8, 19, every_h):
                at = MONDAY + timedelta(days=day, hours=hour)
                await self.hears(at)
        return at


async def test_a_channel_silent_for_much_longer_than_usual_is_told(redis: Redis) -> None:
    """Every hour something came; after the weekend nothing does."""
    life = Life(redis, known())
    await life.two_weeks(every_h=1)
    monday = MONDAY + timedelta(days=14)

    assert await life.look(monday + timedelta(hours=7)) == []  # closed since Friday
    assert await life.look(monday + timedelta(hours=10)) == []  # two hours of opening time
    (found,) = await life.look(monday + timedelta(hours=10, minutes=5))

    assert (found.kind, found.empresa_id, found.subject) == (Kind.CHANNEL_SILENT, 7, "3")
    await life.hears(monday + timedelta(hours=11))


async def test_what_is_usual_is_learned_from_the_channel(redis: Redis) -> None:
    """One that hears something twice a day is not strange after three hours."""
    life = Life(redis, known())
    await life.two_weeks(every_h=5)
    monday = MONDAY + timedelta(days=14)

    assert await life.look(monday + timedelta(hours=11)) == []
    assert len(await life.look(monday + timedelta(days=1, hours=9))) == 1


async def test_a_new_or_suspended_channel_is_not_judged(redis: Redis) -> None:
    """Too little is known of the one; nobody cares for the other."""
    life = Life(redis, known())
    for day in range(4):
        await life.hears(MONDAY + timedelta(days=day, hours=9))
    assert await life.look(MONDAY + timedelta(days=11, hours=12)) == []

    for day in range(4, 7):
        await life.hears(MONDAY + timedelta(days=day, hours=9))
    assert len(await life.look(MONDAY + timedelta(days=14, hours=12))) == 1
    life.directory = known(status="suspenso")
    assert await life.look(MONDAY + timedelta(days=14, hours=12)) == []


async def test_a_channel_that_is_gone_is_forgotten(redis: Redis) -> None:
    """Removed or switched off, or nothing for a month."""
    life = Life(redis, known())
    await life.two_weeks(every_h=1)

    assert await life.look(MONDAY + timedelta(days=60)) == []
    assert await redis.zcard(HEARD) == 0


async def test_the_drain_notes_what_it_hears_and_a_stopped_channel_is_told(shop: Shop) -> None:
    """The real way: an event of the channel, and credentials that its gateway refuses."""
    await shop.handle(event("oi"))
    assert await shop.redis.zrange(HEARD, 0, -1) == [str(shop.channel.id).encode()]

    redis: Any = shop.redis  # typed as if a synchronous client might have been given
    await redis.sadd(STOPPED_CHANNELS, str(shop.channel.id))
    async with watcher(shop) as one:
        await one.round()
        assert await open_kinds(shop) == {"channel_stopped"}
        await redis.srem(STOPPED_CHANNELS, str(shop.channel.id))
        await one.round()
    assert await open_kinds(shop) == set()

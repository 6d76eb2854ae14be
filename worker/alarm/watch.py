"""Looks at everything again and again, and tells what is wrong. Run by web and worker processes.

One process watches at a time, whoever holds the lease. A web process does so only while no worker
runs: it can see that, and nothing else would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import aiohttp
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import CentralUnavailable, HelixError
from tenancy.start import Tenancy
from worker.alarm import fleet
from worker.alarm.book import Book, WatchLease
from worker.alarm.channels import Channels
from worker.alarm.directory import Directory
from worker.alarm.post import Poster
from worker.alarm.reconcile import Rules
from worker.alarm.settings import AlarmSettings
from worker.alarm.values import Finding, Kind
from worker.alarm.waits import Waits
from worker.presence import Workers

log = structlog.get_logger()

_LEASE_ROUNDS = 4
_SHORTEST_LEASE_S = 20.0
"""Longer than one round takes when databases do not answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found, of which kinds it can tell."""

    found: Sequence[Finding]
    kinds: Collection[Kind]


Look = Callable[[int], Awaitable[Seen]]
"""Given the time in ms, by Redis's clock."""


class Watcher:
    """The looks of one process. `round` is one time around."""

    def __init__(
        self,
        redis: Redis,
        settings: AlarmSettings,
        looks: Sequence[Look],
        poster: Poster | None,
    ) -> None:
        rules = Rules(
            hold_ms=int(settings.hold_s * 1000), repeat_ms=int(settings.repeat_min * 60_000)
        )
        self._redis = redis
        self._looks = looks
        self._poster = poster
        self._book = Book(redis, rules, queued=poster is not None)
        life_s = max(_SHORTEST_LEASE_S, _LEASE_ROUNDS * settings.every_s)
        self.lease = WatchLease(redis, life_s=life_s)

    async def round(self) -> bool:
        """False when another process watches. Raises RedisError."""
        if not await self.lease.hold():
            return False
        seconds, micros = await self._redis.time()
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        found: list[Finding] = []
        kinds: set[Kind] = set()
        for look in self._looks:
            seen = await self._seen(look, now_ms)
            found += seen.found
            kinds |= set(seen.kinds)
        await self._book.enter(self.lease, found, looked_at=kinds)
        if self._poster is not None:
            await self._poster.post()
        return True

    async def _seen(self, look: Look, now_ms: int) -> Seen:
        """One look that fails hides nothing of the others; of its kinds nothing is known."""
        try:
            return await look(now_ms)
        except RedisError:
            raise
        except HelixError as error:
            log.warning("watcher cannot look", error=str(error))
        except Exception:  # a bug must not end the watching
            log.exception("watcher cannot look")
        return Seen((), ())


async def watch_for_ever(
    redis: Redis, watcher: Watcher, *, every_s: float, only_without_workers: bool = False
) -> None:
    """Until cancelled; Redis may come and go meanwhile."""
    try:
        while True:
            try:
                if not only_without_workers or not await Workers(redis).names():
                    await watcher.round()
                elif only_without_workers:
                    await watcher.lease.leave()
            except (RedisError, OSError) as error:
                log.warning("watcher waits for redis", error=type(error).__name__)
            except Exception:  # a bug must not end the watching of this process
                log.exception("watching failed")
            await asyncio.sleep(every_s)
    finally:
        with suppress(RedisError, OSError):
            await watcher.lease.leave()


@asynccontextmanager
async def open_watcher(
    redis: Redis, settings: AlarmSettings, looks: Sequence[Look]
) -> AsyncIterator[Watcher]:
    """With the webhook, where there is one."""
    url, secret = settings.webhook_url, settings.webhook_secret
    if url is None or secret is None:
        yield Watcher(redis, settings, looks, None)
        return
    async with aiohttp.ClientSession() as session:
        poster = Poster(
            redis, session, url=url.get_secret_value(), secret=secret.get_secret_value()
        )
        yield Watcher(redis, settings, looks, poster)


def looks_of_a_web(redis: Redis, settings: AlarmSettings) -> list[Look]:
    """What needs no worker: whether there is one."""

    async def workers(_: int) -> Seen:
        found = await fleet.workers(redis, least=settings.min_workers)
        return Seen(found, {Kind.WORKERS})

    return [workers]


def looks_of_a_worker(
    redis: Redis, tenancy: Tenancy, settings: AlarmSettings, *, zone: ZoneInfo
) -> list[Look]:
    """Everything."""
    directory = Directory(tenancy.central)
    waits = Waits(redis, tenancy.pools, settings, zone=zone)
    channels = Channels(redis, settings, zone=zone)
    share = settings.full_share

    async def central(_: int) -> Seen:
        try:
            await directory.read(fresh=True)
        except CentralUnavailable:
            text = "the central database does not answer; dealers that are known are served"
            found = [Finding(kind=Kind.CENTRAL_DATABASE, subject="", text=text)]
            return Seen(found, {Kind.CENTRAL_DATABASE})
        return Seen((), {Kind.CENTRAL_DATABASE})

    async def waiting(now_ms: int) -> Seen:
        found = await waits.look(await directory.read(), now_ms=now_ms)
        return Seen(found, {Kind.BUYER_WAITS, Kind.PERSON_WAITS})

    async def numbers(now_ms: int) -> Seen:
        found = await channels.look(await directory.read(), now_ms=now_ms)
        return Seen(found, {Kind.CHANNEL_SILENT, Kind.CHANNEL_STOPPED})

    async def databases(_: int) -> Seen:
        kinds = {Kind.DATABASE_SERVER, Kind.EMPRESA_DATABASE}
        return Seen(await fleet.databases(redis), kinds)

    async def full(_: int) -> Seen:
        memory = await fleet.redis_full(redis, share=share)
        inboxes = await fleet.inboxes_full(redis, share=share)
        return Seen([*memory, *inboxes], {Kind.REDIS_FULL, Kind.INBOX_FULL})

    async def dead(now_ms: int) -> Seen:
        since_ms = now_ms - int(settings.dead_min * 60_000)
        return Seen(await fleet.new_dead_letters(redis, since_ms=since_ms), {Kind.DEAD_LETTERS})

    return [*looks_of_a_web(redis, settings), central, databases, full, dead, numbers, waiting]

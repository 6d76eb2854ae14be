"""Finds channels that have fallen silent, or that stopped. Used by the watcher.

What is usual for a channel is learned from it: for each day, the longest time of opening hours in
which nothing came. A silence is strange when it is some times longer than the longest of two weeks.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from worker.alarm.directory import Known
from worker.alarm.heard import HEARD
from worker.alarm.settings import AlarmSettings
from worker.alarm.values import Finding, Kind
from worker.clock import from_ms
from worker.queue.keys import STOPPED_CHANNELS

log = structlog.get_logger()

USUAL = "helix:channels:usual"
_AT_ONCE = 50
_DAYS_KEPT, _DAYS_NEEDED = 14, 5
_FORGOTTEN = timedelta(days=30)


class Usual(BaseModel):
    """What is known of a channel."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    heard_ms: int
    silences: dict[str, int] = {}
    """By day (2026-11-24): the longest silence that ended on it, in seconds of opening time."""

    @property
    def longest_s(self) -> int | None:
        """None while too few days are known."""
        return max(self.silences.values()) if len(self.silences) >= _DAYS_NEEDED else None

    def heard(self, at: datetime, at_ms: int, silence: timedelta) -> Usual:
        """After an event at this time, which ended a silence."""
        day = at.date().isoformat()
        longest = max(int(silence.total_seconds()), self.silences.get(day, 0))
        days = sorted({**self.silences, day: longest}.items())[-_DAYS_KEPT:]
        return Usual(heard_ms=at_ms, silences=dict(days))


class Channels:
    """All channels of all empresas."""

    def __init__(self, redis: Redis, settings: AlarmSettings, *, zone: ZoneInfo) -> None:
        self._redis = redis
        self._zone = zone
        self._least_s = settings.silent_min * 60
        self._factor = settings.silent_factor

    async def look(self, directory: Known, *, now_ms: int) -> list[Finding]:
        """Raises RedisError."""
        heard = {
            int(id_): int(ms) for id_, ms in await self._redis.zrange(HEARD, 0, -1, withscores=True)
        }
        usual = await self._learn(heard, directory, now_ms)
        found = await self._stopped(directory)
        for place, (canal_id, one) in enumerate(usual.items()):
            if place % _AT_ONCE == 0:
                await asyncio.sleep(0)  # counting opening hours is all CPU: the jobs go on
            silent = self._silent(canal_id, one, directory, now_ms)
            found += [] if silent is None else [silent]
        return found

    async def _learn(
        self, heard: dict[int, int], directory: Known, now_ms: int
    ) -> dict[int, Usual]:
        """Takes in what came since the last look; forgets who is gone, or has long been still."""
        known = await self._known()
        oldest_ms = now_ms - int(_FORGOTTEN.total_seconds() * 1000)
        kept = {id_: ms for id_, ms in heard.items()
                if id_ in directory.channels and ms >= oldest_ms}  # fmt: skip
        usual, changed = {}, {}
        for id_, ms in kept.items():
            before = known.get(id_, Usual(heard_ms=ms))
            if ms > before.heard_ms or id_ not in known:
                silence = self._open(id_, directory, before.heard_ms, ms)
                before = before.heard(self._local(ms), ms, silence)
                changed[str(id_)] = before.model_dump_json()
            usual[id_] = before
        gone = [str(id_) for id_ in {*heard, *known} - kept.keys()]
        async with self._redis.pipeline(transaction=True) as pipe:
            if changed:
                pipe.hset(USUAL, mapping=dict(changed))
            if gone:
                pipe.hdel(USUAL, *gone)
                pipe.zrem(HEARD, *gone)
            await pipe.execute()
        return usual

    async def _known(self) -> dict[int, Usual]:
        # Typed as if a synchronous client might have been given.
        asked: Any = self._redis.hgetall(USUAL)
        known = {}
        for id_, text in (await asked).items():
            try:
                known[int(id_)] = Usual.model_validate_json(text)
            except ValidationError:
                log.warning("what is usual is learned anew", canal_id=int(id_))
        return known

    def _silent(self, canal_id: int, usual: Usual, directory: Known, now_ms: int) -> Finding | None:
        empresa_id = directory.channels[canal_id]
        entry = directory.empresas.get(empresa_id)
        longest_s = usual.longest_s
        if longest_s is None or entry is None or not entry.is_served:
            return None
        silence_s = self._open(canal_id, directory, usual.heard_ms, now_ms).total_seconds()
        if silence_s <= max(self._least_s, longest_s * self._factor):
            return None
        return Finding(
            kind=Kind.CHANNEL_SILENT,
            subject=str(canal_id),
            empresa_id=empresa_id,
            text=f"channel {canal_id} of empresa {empresa_id}: nothing for"
            f" {int(silence_s // 60)} min of opening time, at most {longest_s // 60} so far;"
            f" `helix channel test {canal_id}`",
            facts={"silent_s": int(silence_s), "usual_s": longest_s},
        )

    async def _stopped(self, directory: Known) -> list[Finding]:
        return [
            Finding(
                kind=Kind.CHANNEL_STOPPED,
                subject=str(canal_id),
                empresa_id=directory.channels[canal_id],
                text=f"channel {canal_id} of empresa {directory.channels[canal_id]}: its gateway"
                f" refuses the credentials; `helix channel test {canal_id}`",
            )
            for canal_id in await stopped_channels(self._redis)
            if canal_id in directory.channels
        ]

    def _open(self, canal_id: int, directory: Known, since_ms: int, until_ms: int) -> timedelta:
        entry = directory.empresas.get(directory.channels[canal_id])
        opening = None if entry is None else entry.opening
        since, until = self._local(since_ms), self._local(until_ms)
        return (
            max(until - since, timedelta()) if opening is None else opening.open_time(since, until)
        )

    def _local(self, ms: int) -> datetime:
        return from_ms(ms).astimezone(self._zone)


async def stopped_channels(redis: Redis) -> list[int]:
    """Their ids (canal_id). Raises RedisError."""
    # Typed as if a synchronous client might have been given.
    asked: Any = redis.smembers(STOPPED_CHANNELS)
    return sorted(int(id_) for id_ in await asked if id_.isdigit())

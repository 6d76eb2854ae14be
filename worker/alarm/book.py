"""Keeps alarms in Redis, for all processes. Written by the one watcher, read by metrics and CLI."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from worker.alarm.reconcile import Changes, Rules, reconcile
from worker.alarm.values import Alarm, Event, Finding, Kind, Notice
from worker.alone import NamedLease
from worker.queue.scripts import load

log = structlog.get_logger()

ALARMS = "helix:alarms"
"""Hash: each alarm that is not over, as JSON."""
NOTICES = "helix:alarms:notices"
"""List: what is still to be posted, the oldest first."""
WATCHER = "helix:alarms:watcher"
"""Lease of the one process that watches."""
_MOST_NOTICES = 1_000


class WatchLease(NamedLease):
    """The right to be the one watcher. One per process."""

    def __init__(self, redis: Redis, *, life_s: float) -> None:
        super().__init__(redis, WATCHER, life_s=life_s)

    async def hold(self) -> bool:
        """Takes or keeps it. False: another process watches."""
        return await self.take() or await self.keep()


class Book:
    """All alarms of one Redis."""

    def __init__(self, redis: Redis, rules: Rules, *, queued: bool) -> None:
        """`queued`: notices are kept until they are posted; else they are log lines alone."""
        self._redis = redis
        self._rules = rules
        self._queued = queued
        self._write = load(redis, "write_alarms")

    async def enter(
        self, lease: WatchLease, found: Iterable[Finding], *, looked_at: Collection[Kind]
    ) -> list[Notice]:
        """What has been found now. Returns what is told; nothing when the lease has gone."""
        known = await alarms(self._redis)
        seconds, micros = await self._redis.time()
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        changes = reconcile(known, found, looked_at=looked_at, rules=self._rules, now_ms=now_ms)
        dropped = await self._write(
            keys=[WATCHER, ALARMS, NOTICES], args=[lease.token, *self._args(changes)]
        )
        if dropped is None:
            log.warning("another process watches")
            return []
        if dropped:
            log.error("alarm notices dropped", count=int(dropped))
        for notice in changes.notices:
            _say(notice)
        return changes.notices

    def _args(self, changes: Changes) -> list[str | int | bytes]:
        alarms_ = [text for key, alarm in changes.kept.items()
                   for text in (key, alarm.model_dump_json())]  # fmt: skip
        notices = [one.model_dump_json() for one in changes.notices] if self._queued else []
        return [len(changes.kept), *alarms_, len(changes.gone), *changes.gone, _MOST_NOTICES,
                *notices]  # fmt: skip


async def alarms(redis: Redis) -> dict[str, Alarm]:
    """By their names. What another release wrote and cannot be read is left out."""
    # Typed as if a synchronous client might have been given.
    asked: Any = redis.hgetall(ALARMS)
    known = {}
    for key, text in (await asked).items():
        try:
            known[key.decode()] = Alarm.model_validate_json(text)
        except ValidationError as error:
            log.warning("alarm not read", alarm=key.decode(), errors=error.error_count())
    return known


def _say(notice: Notice) -> None:
    """Stable names: a log's reader may go by them. What is over is no error."""
    told = notice.model_dump(mode="json", exclude={"event", "id", "at_ms"})
    if notice.event is Event.OVER:
        log.warning("alarm over", **told)
    else:
        log.error("alarm opened" if notice.event is Event.OPENED else "alarm still open", **told)

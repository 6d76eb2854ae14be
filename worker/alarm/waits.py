"""Finds buyers who wait too long, without asking every database each time.

Redis knows since when a dealer's buyers *may* be waiting: the scripts that take and leave a lease
write it, and nothing else needs to. Only where that is longer ago than the limit, the database is
asked who really waits. So a healthy dealer costs no question, and no crash hides a buyer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from schema.errors import HelixError
from tenancy.pools import TenantPoolManager
from worker.alarm.directory import Entry, Known
from worker.alarm.settings import AlarmSettings
from worker.alarm.values import Finding, Kind
from worker.alarm.waiting_rows import Waiting, who_waits
from worker.clock import from_ms
from worker.queue.keys import (
    WAIT_FOR_LUCAS,
    WAIT_FOR_PERSON,
    Task,
    TaskKeys,
    inbox,
)
from worker.queue.scripts import load

log = structlog.get_logger()

KNOWN_WAITS = "helix:waits:known"
"""Hash: for each dealer that was asked and has somebody waiting, what his database said."""
_ASKED_AT_ONCE = 8
_ASKED_IN_A_ROUND = 32
_MOST = 5_000
_ANSWER_S = 3.0
"""All that are asked in a round take less than the shortest life of the watcher's lease."""
_AGAIN_MS, _AGAIN_PERSON_MS = 60_000, 300_000


class Wait(BaseModel):
    """What is known of one dealer. Times in ms."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    lucas_ms: int | None = None
    person_ms: int | None = None
    persons: int = 0
    """Buyers who wait for a person."""
    asked_ms: int
    answered: bool = True
    """False: the database could not be asked, and Redis alone says since when."""


class Waits:
    """All dealers. Used by the one watcher."""

    def __init__(
        self, redis: Redis, pools: TenantPoolManager, settings: AlarmSettings, *, zone: ZoneInfo
    ) -> None:
        self._redis = redis
        self._pools = pools
        self._zone = zone
        self._limit_ms = int(settings.buyer_wait_s * 1000)
        self._person_limit = timedelta(minutes=settings.person_wait_min)
        self._settle = load(redis, "settle_wait")

    async def look(self, directory: Known, *, now_ms: int) -> list[Finding]:
        """Raises RedisError."""
        person_ms = int(self._person_limit.total_seconds() * 1000)
        lucas = await self._since(WAIT_FOR_LUCAS, now_ms - self._limit_ms)
        person = await self._since(WAIT_FOR_PERSON, now_ms - person_ms)
        due = await self._since(TaskKeys(0, Task.DRAIN).due, now_ms - self._limit_ms)
        known = await known_waits(self._redis)
        suspects = {id_ for id_ in {*lucas, *person} if directory.answered(id_)}
        again = [
            id_ for id_ in suspects if now_ms - self._fresh_ms(id_ in lucas) >= _asked(known, id_)
        ]
        again.sort(key=lambda id_: _asked(known, id_))
        asked = await self._ask_all(again[:_ASKED_IN_A_ROUND], lucas, now_ms)
        waits = {
            id_: _kept(wait, known.get(id_), waits_for_lucas=id_ in lucas)
            for id_, wait in {**known, **asked}.items()
            if id_ in suspects
        }
        await self._write(known, waits)
        unseen = {id_: ms for id_, ms in due.items() if directory.answered(id_)}
        return [*self._lucas(waits, unseen, now_ms), *self._persons(waits, directory, now_ms)]

    def _fresh_ms(self, waits_for_lucas: bool) -> int:
        return min(_AGAIN_MS if waits_for_lucas else _AGAIN_PERSON_MS, self._limit_ms)

    async def _since(self, key: str, until_ms: int) -> dict[int, int]:
        found = await self._redis.zrangebyscore(
            key, "-inf", until_ms, start=0, num=_MOST, withscores=True
        )
        return {int(id_): int(ms) for id_, ms in found if id_.isdigit()}

    async def _ask_all(
        self, empresas: Iterable[int], since: dict[int, int], now_ms: int
    ) -> dict[int, Wait]:
        places = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def ask(empresa_id: int) -> tuple[int, Wait]:
            async with places:
                return empresa_id, await self._ask(empresa_id, since.get(empresa_id), now_ms)

        return dict(await asyncio.gather(*(ask(id_) for id_ in empresas)))

    async def _ask(self, empresa_id: int, since_ms: int | None, now_ms: int) -> Wait:
        epoch, oldest_ms = await self._before(empresa_id)
        try:
            async with asyncio.timeout(_ANSWER_S), self._pools.connection(empresa_id) as conn:
                waiting = await who_waits(conn, now=from_ms(now_ms))
        except (HelixError, TimeoutError) as error:
            log.warning("who waits is not known", empresa_id=empresa_id,
                        error=type(error).__name__)  # fmt: skip
            waits_ms = since_ms if oldest_ms is None else min(since_ms or oldest_ms, oldest_ms)
            return Wait(lucas_ms=waits_ms, asked_ms=now_ms, answered=False)
        await self._note(empresa_id, waiting, epoch, min(now_ms, oldest_ms or now_ms))
        inbox_ms = oldest_ms if oldest_ms is not None else waiting.lucas_ms
        lucas = [ms for ms in (waiting.lucas_ms, inbox_ms) if ms is not None]
        return Wait(
            lucas_ms=min(lucas, default=None),
            person_ms=waiting.persons_ms[0] if waiting.persons_ms else None,
            persons=len(waiting.persons_ms),
            asked_ms=now_ms,
        )

    async def _before(self, empresa_id: int) -> tuple[str, int | None]:
        """The drain's epoch, '' while one is at work; when the oldest entry of the inbox came."""
        keys = TaskKeys(empresa_id, Task.DRAIN)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(keys.lease)
            pipe.get(keys.epoch)
            pipe.xrange(inbox(empresa_id), count=1)
            lease, epoch, entries = await pipe.execute()
        busy = lease is not None and lease != b"waiting"
        oldest_ms = int(entries[0][0].partition(b"-")[0]) if entries else None
        return "" if busy else (epoch or b"0").decode(), oldest_ms

    async def _note(self, empresa_id: int, waiting: Waiting, epoch: str, asked_ms: int) -> None:
        drained = TaskKeys(empresa_id, Task.DRAIN).epoch
        person_ms = waiting.persons_ms[0] if waiting.persons_ms else None
        for key, since in ((WAIT_FOR_LUCAS, waiting.lucas_ms), (WAIT_FOR_PERSON, person_ms)):
            told = "" if since is None else since
            await self._settle(keys=[key, drained], args=[empresa_id, epoch, told, asked_ms])

    async def _write(self, known: dict[int, Wait], waits: dict[int, Wait]) -> None:
        changed = {str(id_): w.model_dump_json() for id_, w in waits.items() if known.get(id_) != w}
        gone = [str(id_) for id_ in known if id_ not in waits]
        async with self._redis.pipeline(transaction=True) as pipe:
            if changed:
                pipe.hset(KNOWN_WAITS, mapping=dict(changed))
            if gone:
                pipe.hdel(KNOWN_WAITS, *gone)
            await pipe.execute()

    def _lucas(self, waits: dict[int, Wait], overdue: dict[int, int], now_ms: int) -> list[Finding]:
        since = {id_: wait.lucas_ms for id_, wait in waits.items() if wait.lucas_ms is not None}
        for id_, ms in overdue.items():  # rung for, and no worker came
            since[id_] = min(ms, since.get(id_, ms))
        return [
            Finding(
                kind=Kind.BUYER_WAITS,
                subject=str(id_),
                empresa_id=id_,
                text=f"empresa {id_}: a buyer has waited for {(now_ms - ms) // 1000} s",
                facts={"waited_s": (now_ms - ms) // 1000},
            )
            for id_, ms in sorted(since.items(), key=lambda one: one[1])
            if now_ms - ms >= self._limit_ms
        ]

    def _persons(self, waits: dict[int, Wait], directory: Known, now_ms: int) -> list[Finding]:
        found = []
        for id_, wait in waits.items():
            entry = directory.answered(id_)
            if entry is None or wait.person_ms is None:
                continue
            if not self._is_too_long(entry, wait.person_ms, now_ms):
                continue
            waited_s = (now_ms - wait.person_ms) // 1000
            found.append(
                Finding(
                    kind=Kind.PERSON_WAITS,
                    subject=str(id_),
                    empresa_id=id_,
                    text=f"empresa {id_}: {wait.persons} buyers wait for a person, the first for"
                    f" {waited_s // 60} min",
                    facts={"waited_s": waited_s, "buyers": wait.persons},
                )
            )
        return found

    def _is_too_long(self, entry: Entry, since_ms: int, now_ms: int) -> bool:
        since = from_ms(since_ms).astimezone(self._zone)
        if entry.opening is None:
            return since + self._person_limit <= from_ms(now_ms)
        return entry.opening.add_open_time(since, self._person_limit) <= from_ms(now_ms)


def _asked(known: dict[int, Wait], empresa_id: int) -> int:
    return known[empresa_id].asked_ms if empresa_id in known else 0


def _kept(wait: Wait, before: Wait | None, *, waits_for_lucas: bool) -> Wait:
    """As it stands now: Redis has heard first when Lucas has answered all, and a database that
    does not answer changes nothing about who waits for a person."""
    if not waits_for_lucas:
        wait = wait.model_copy(update={"lucas_ms": None})
    if not wait.answered and before is not None:
        told = {"person_ms": before.person_ms, "persons": before.persons}
        wait = wait.model_copy(update=told)
    return wait


async def known_waits(redis: Redis) -> dict[int, Wait]:
    """By empresa; what another release wrote and cannot be read is asked anew."""
    # Typed as if a synchronous client might have been given.
    asked: Any = redis.hgetall(KNOWN_WAITS)
    known = {}
    for id_, text in (await asked).items():
        try:
            known[int(id_)] = Wait.model_validate_json(text)
        except (ValidationError, ValueError):
            log.warning("wait not read", empresa=id_.decode(errors="replace"))
    return known

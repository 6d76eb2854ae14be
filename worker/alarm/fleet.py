"""Looks at what all dealers share: processes, Redis, database servers, dead letters.

Each look reads a few keys of Redis, however many dealers there are. Used by the watcher and by
`helix status`. All raise RedisError.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from tenancy.figures import is_resting
from worker.alarm.values import Finding, Kind
from worker.dead.letter import group_of
from worker.presence import Workers
from worker.queue.keys import INBOX_LIMITS, NEW_DEAD_LETTERS, Task, TaskKeys, inbox
from worker.report import Report

_INBOX_LIMIT = 100_000
"""Where nobody has set another."""
_MOST = 2_000
_NAMED = 20


async def workers(redis: Redis, *, least: int) -> list[Finding]:
    """Whether enough worker processes run."""
    count = len(await Workers(redis).names())
    if count >= least:
        return []
    text = f"{count} worker processes run, at least {least} should" if count else "no worker runs"
    return [Finding(kind=Kind.WORKERS, subject="", text=text, facts={"workers": count})]


async def databases(redis: Redis) -> list[Finding]:
    """What the workers say of database servers, and of dealers whose databases refuse them."""
    said = await Workers(redis).reports()
    reports = [Report.model_validate(body) for body in said.values()]
    servers = Counter(
        f"{host.host}:{host.port}"
        for report in reports
        for host in report.hosts
        if is_resting(host.breaker)
    )
    empresas = Counter(line.empresa_id for report in reports for line in report.resting)
    return [
        *(
            Finding(
                kind=Kind.DATABASE_SERVER,
                subject=name,
                text=f"database server {name} does not answer {count} of {len(reports)} workers",
                facts={"workers": count},
            )
            for name, count in servers.items()
        ),
        *(
            Finding(
                kind=Kind.EMPRESA_DATABASE,
                subject=str(id_),
                empresa_id=id_,
                text=f"empresa {id_}: its database refuses us, or does not answer",
                facts={"workers": count},
            )
            for id_, count in empresas.items()
        ),
    ]


@dataclass(frozen=True, slots=True)
class Memory:
    """Of Redis, in bytes; `most` is 0 where it has no limit."""

    used: int
    most: int


async def memory(redis: Redis) -> Memory:
    """As Redis says."""
    info = await redis.info("memory")
    return Memory(int(info["used_memory"]), int(info.get("maxmemory", 0)))


async def redis_full(redis: Redis, *, share: float) -> list[Finding]:
    """Whether its memory nears its limit: above it, nothing is taken any more."""
    found = await memory(redis)
    if not found.most or found.used < share * found.most:
        return []
    percent = 100 * found.used // found.most
    return [
        Finding(
            kind=Kind.REDIS_FULL,
            subject="",
            text=f"Redis uses {percent} % of its memory",
            facts={"used_bytes": found.used, "most_bytes": found.most},
        )
    ]


async def backlog(redis: Redis) -> dict[int, int]:
    """Events on the inboxes of dealers that a worker has, or is to have, work with."""
    due = TaskKeys(0, Task.DRAIN).due
    ids = [int(id_) for id_ in await redis.zrange(due, 0, _MOST - 1) if id_.isdigit()]
    async with redis.pipeline(transaction=False) as pipe:
        for id_ in ids:
            pipe.xlen(inbox(id_))
        lengths = await pipe.execute()
    return {id_: length for id_, length in zip(ids, lengths, strict=True) if length}


async def inboxes_full(redis: Redis, *, share: float) -> list[Finding]:
    """Inboxes that near the limit above which nothing more is taken."""
    # Typed as if a synchronous client might have been given.
    asked: Any = redis.hget(INBOX_LIMITS, "events")
    most = int(await asked or _INBOX_LIMIT)
    return [
        Finding(
            kind=Kind.INBOX_FULL,
            subject=str(id_),
            empresa_id=id_,
            text=f"empresa {id_}: {length} events on its inbox, {most} at most",
            facts={"events": length, "most": most},
        )
        for id_, length in (await backlog(redis)).items()
        if length >= share * most
    ]


async def new_dead_letters(redis: Redis, *, since_ms: int) -> list[Finding]:
    """Those that were written since then, by cause."""
    entries = await redis.xrevrange(NEW_DEAD_LETTERS, min=str(since_ms), count=_MOST)
    letters: Counter[tuple[str, str]] = Counter()
    empresas: dict[tuple[str, str], set[int]] = {}
    for _, fields in entries:
        cause = (fields[b"kind"].decode(), fields[b"cause"].decode())
        letters[cause] += 1
        empresas.setdefault(cause, set()).add(int(fields[b"empresa_id"]))
    return [_letters(cause, count, empresas[cause] - {0}) for cause, count in letters.items()]


def _letters(cause: tuple[str, str], count: int, empresas: set[int]) -> Finding:
    kind, words = cause
    group = group_of(kind, words)
    return Finding(
        kind=Kind.DEAD_LETTERS,
        subject=group,
        empresa_id=next(iter(empresas)) if len(empresas) == 1 else None,
        text=f"{count} new dead letters ({kind}): {words}; `helix dead list --cause {group}`",
        facts={
            "letters": count,
            "empresas": len(empresas),
            "first_empresas": " ".join(map(str, sorted(empresas)[:_NAMED])),
        },
    )

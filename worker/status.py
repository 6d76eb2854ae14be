"""How the whole installation stands at this moment, the worst first. Shown by `helix status`.

Reads Redis and the central database; writes nothing, asks no dealer's database, and holds no
personal data: dealers and channels are ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import HelixError
from tenancy.central import Central
from tenancy.life.schedule import worries
from tenancy.life.settings import BackupSettings
from worker.alarm import fleet
from worker.alarm.book import NOTICES, WATCHER, alarms
from worker.alarm.channels import stopped_channels
from worker.alarm.directory import Directory, Known
from worker.alarm.settings import AlarmSettings
from worker.alarm.values import Fact, Finding
from worker.alarm.waits import known_waits
from worker.dead.find import Filter, Finder
from worker.presence import WEBS, Workers
from worker.queue.dead_shelf import DeadShelf
from worker.queue.keys import Task, TaskKeys
from worker.report import Report

_NAMED = 10
_ALARMS_SHOWN = 15
_PATIENCE_S = 3.0


class Level(IntEnum):
    """How bad it is; also the exit code of `helix status`."""

    OK = 0
    WARNING = 1
    RED = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One fact about the installation."""

    level: Level
    part: str
    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """All of them, the worst first."""

    lines: Sequence[Line]

    @property
    def level(self) -> Level:
        """That of the worst."""
        return max((line.level for line in self.lines), default=Level.OK)


async def status(
    redis: Redis, central: Central, settings: AlarmSettings, backups: BackupSettings | None = None
) -> Status:
    """Never raises for what does not answer: that is a line, too."""
    looks: list[Callable[[], Awaitable[Sequence[Line]]]] = [
        partial(_processes, redis, settings),
        partial(_memory, redis, settings),
        partial(_servers, redis),
        partial(_backlog, redis, settings),
        partial(_waits, redis),
        partial(_dead, redis),
        partial(_alarms, redis),
    ]
    lines: list[Line] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        lines.append(Line(Level.RED, "redis", f"does not answer ({type(error).__name__})"))
        looks = []
    for look in looks:
        lines += await _tried(look)
    lines += await _registry(redis if looks else None, Directory(central))
    lines += await _backups(central, backups or BackupSettings())
    return Status(sorted(lines, key=lambda line: -line.level))


async def _tried(look: Callable[[], Awaitable[Sequence[Line]]]) -> Sequence[Line]:
    try:
        return await look()
    except (RedisError, OSError) as error:
        return [Line(Level.RED, "redis", f"does not answer ({type(error).__name__})")]


async def _processes(redis: Redis, settings: AlarmSettings) -> list[Line]:
    workers, webs = await Workers(redis).names(), await Workers(redis).names(WEBS)
    few = await fleet.workers(redis, least=settings.min_workers)
    watched = bool(await redis.exists(WATCHER))
    lines = [
        *_found("workers", few),
        *([] if few else [Line(Level.OK, "workers", f"{len(workers)} run",
                               {"workers": len(workers)})]),
        Line(Level.OK if webs else Level.WARNING, "web",
             f"{len(webs)} run" if webs else "no web process runs", {"webs": len(webs)}),
    ]  # fmt: skip
    if not watched:
        lines.append(Line(Level.WARNING, "alarms", "nobody watches: what is shown may be old"))
    return lines


async def _memory(redis: Redis, settings: AlarmSettings) -> list[Line]:
    found = await fleet.redis_full(redis, share=settings.full_share)
    used = await fleet.memory(redis)
    most = f" of {used.most >> 20} MiB" if used.most else ", without a limit"
    facts = {"used_bytes": used.used, "most_bytes": used.most}
    return _found("redis", found) or [
        Line(Level.OK, "redis", f"uses {used.used >> 20} MiB{most}", facts)
    ]


async def _servers(redis: Redis) -> list[Line]:
    bad = _found("databases", await fleet.databases(redis))
    reports = [Report.model_validate(body) for body in (await Workers(redis).reports()).values()]
    hosts = {f"{host.host}:{host.port}" for report in reports for host in report.hosts}
    in_use = sum(host.in_use for report in reports for host in report.hosts)
    text = f"{len(hosts)} servers, {in_use} connections in use"
    return bad or [Line(Level.OK, "databases", text, {"servers": len(hosts)})]


async def _backlog(redis: Redis, settings: AlarmSettings) -> list[Line]:
    lines = _found("inbox", await fleet.inboxes_full(redis, share=settings.full_share))
    held = await fleet.backlog(redis)
    total, largest = sum(held.values()), sorted(held, key=lambda id_: -held[id_])[:3]
    text = f"{total} events on {len(held)} inboxes"
    if largest:
        text += "; most at empresa " + ", ".join(f"{id_} ({held[id_]})" for id_ in largest)
    lines.append(Line(Level.OK, "inbox", text, {"events": total, "empresas": len(held)}))
    seconds, micros = await redis.time()
    now_ms = int(seconds) * 1000 + int(micros) // 1000
    limit_ms = int(settings.buyer_wait_s * 1000)
    due = TaskKeys(0, Task.DRAIN).due
    overdue = await redis.zcount(due, "-inf", now_ms - limit_ms)
    if overdue:
        first = await redis.zrange(due, 0, 0, withscores=True)
        waited_s = int(now_ms - first[0][1]) // 1000 if first else 0
        text = f"{overdue} dealers were rung for and no worker came, the first {waited_s} s ago"
        lines.append(Line(Level.RED, "inbox", text, {"empresas": overdue, "waited_s": waited_s}))
    return lines


async def _waits(redis: Redis) -> list[Line]:
    seconds, _ = await redis.time()
    waits = await known_waits(redis)
    lines = []
    for whom, times in (
        ("Lucas", {id_: wait.lucas_ms for id_, wait in waits.items()}),
        ("a person", {id_: wait.person_ms for id_, wait in waits.items()}),
    ):
        since = {id_: ms for id_, ms in times.items() if ms is not None}
        if not since:
            lines.append(Line(Level.OK, "buyers", f"nobody waits long for {whom}"))
            continue
        first = min(since, key=lambda id_: since[id_])
        waited_s = max(0, int(seconds) - since[first] // 1000)
        text = f"{len(since)} dealers' buyers wait for {whom}; the longest {waited_s} s at {first}"
        level = Level.RED if whom == "Lucas" else Level.WARNING
        lines.append(Line(level, "buyers", text, {"empresas": len(since), "waited_s": waited_s}))
    return lines


async def _dead(redis: Redis) -> list[Line]:
    groups = await Finder(DeadShelf(redis)).groups(Filter())
    letters = sum(group.letters for group in groups)
    if not letters:
        return [Line(Level.OK, "dead letters", "none")]
    text = f"{letters} of {len(groups)} causes; `helix dead list`"
    return [Line(Level.WARNING, "dead letters", text, {"letters": letters})]


async def _alarms(redis: Redis) -> list[Line]:
    seconds, _ = await redis.time()
    known = [one for one in (await alarms(redis)).values() if one.opened_ms is not None]
    known.sort(key=lambda one: one.first_ms)
    lines = [
        Line(Level.RED, "alarm",
             f"{one.text} (for {max(0, int(seconds) - one.first_ms // 1000)} s)", one.facts)
        for one in known[:_ALARMS_SHOWN]
    ]  # fmt: skip
    if len(known) > _ALARMS_SHOWN:
        text = f"and {len(known) - _ALARMS_SHOWN} more; --json shows their number"
        lines.append(Line(Level.RED, "alarm", text, {"alarms": len(known)}))
    if not known:
        lines.append(Line(Level.OK, "alarm", "none is open"))
    # Typed as if a synchronous client might have been given.
    asked: Any = redis.llen(NOTICES)
    if unposted := int(await asked):
        text = f"{unposted} notices that the webhook has not taken"
        lines.append(Line(Level.WARNING, "alarm", text, {"notices": unposted}))
    return lines


async def _registry(redis: Redis | None, directory: Directory) -> list[Line]:
    try:
        known = await directory.read()
    except HelixError as error:
        return [Line(Level.RED, "central database", str(error))]
    lines = [Line(Level.OK, "central database", "answers"), _dealers(known)]
    if redis is not None:
        stopped = [id_ for id_ in await stopped_channels(redis) if id_ in known.channels]
        lines.append(
            Line(Level.RED, "channels", f"stopped: {_ids(stopped)}", {"stopped": len(stopped)})
            if stopped
            else Line(Level.OK, "channels", f"{len(known.channels)} on, none stopped")
        )
    return lines


async def _backups(central: Central, settings: BackupSettings) -> list[Line]:
    if settings.hour is None:
        return [Line(Level.OK, "backups", "not by themselves (BACKUP_HOUR)")]
    try:
        async with central.connection() as conn:
            found = await worries(conn, settings, datetime.now(UTC))
    except HelixError:
        return []  # told with the registry
    facts = {"old": len(found.old), "none_yet": len(found.none_yet)}
    told = []
    if found.old:
        told.append(
            f"none for {settings.old_h} h or failed: {_ids([d.empresa_id for d in found.old])}"
        )
    if found.none_yet:
        told.append(f"none yet: {_ids([d.empresa_id for d in found.none_yet])}")
    if told:
        level = Level.RED if found.old else Level.WARNING
        return [Line(level, "backups", "; ".join(told), facts)]
    return [Line(Level.OK, "backups", f"of {found.dealers} dealers, none too old", facts)]


def _dealers(known: Known) -> Line:
    away = [id_ for id_, entry in known.empresas.items() if not entry.is_served]
    off = [id_ for id_, entry in known.empresas.items() if entry.is_served and not entry.bot_ativo]
    text = f"{len(known.empresas) - len(away)} served"
    text += f"; not served (paused, suspended): {_ids(away)}" if away else ""
    text += f"; Lucas off: {_ids(off)}" if off else ""
    facts = {"served": len(known.empresas) - len(away), "not_served": len(away), "off": len(off)}
    return Line(Level.WARNING if away else Level.OK, "empresas", text, facts)


def _found(part: str, findings: Iterable[Finding]) -> list[Line]:
    return [Line(Level.RED, part, one.text, one.facts) for one in findings]


def _ids(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(map(str, sorted(ids)[:_NAMED])) + more

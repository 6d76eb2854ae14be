"""All looks at an installation, as far as each can go. Called by `helix doctor`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.adapters import outlets
from schema.errors import HelixError, NotMigrated
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.faults import CentralFaults
from tenancy.lease import Connection
from tenancy.life.settings import BackupSettings
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.alarm.heard import HEARD
from worker.doctor import backups, channels, dealers, environment, registry, servers
from worker.doctor import redis as redis_look
from worker.doctor.registry import Central
from worker.doctor.values import Finding, Report, red, warning
from worker.media.settings import MediaSettings
from worker.presence import Workers
from worker.queue.keys import STOPPED_CHANNELS
from worker.settings import WorkerSettings

_REDIS_S = 3.0
_LEAST_FREE = 0.1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _InRedis:
    """None: it did not say."""

    heard: Mapping[int, int] | None = None
    stopped: frozenset[int] = frozenset()
    workers: int = 1
    """One, where nobody knows."""


async def examine(
    given: Mapping[str, str],
    *,
    file: Path | None,
    only: int | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Never raises for what does not answer: that is a finding. `only`: this dealer's database and
    channels, and what is shared."""
    findings = environment.look(given, file)
    try:
        tenancy, worker = TenancySettings(), WorkerSettings()
    except ValidationError:
        return _report(findings, 0)  # told by `environment`; there is no way to anything else
    findings += [*environment.unwise(tenancy, worker), *_media()]
    seen, in_redis = await _redis(worker)
    findings += seen
    try:
        async with direct(central_target(tenancy), Limits.of(tenancy), CentralFaults()) as conn:
            findings += await registry.behind(conn)
            central = await registry.read(conn)
            findings += await _backups(conn, only)
    except HelixError as error:
        return _report([*findings, _central(error)], 0)
    return await _fleet(findings, tenancy, central, in_redis, only, progress)


async def _fleet(
    findings: list[Finding],
    tenancy: TenancySettings,
    central: Central,
    in_redis: _InRedis,
    only: int | None,
    progress: Progress,
) -> Report:
    rows = [row for row in central.empresas if only in (None, row.id)]
    if only is not None and not rows:
        findings.append(
            red(
                "no_empresa",
                f"empresa {only}",
                "there is none with this id",
                why="nothing can be said of it",
                mend="helix empresa list",
            )
        )
    findings += registry.look(central, tenancy.keyring())
    seen, silent = await servers.look(tenancy, central, workers=in_redis.workers)
    findings += seen
    findings += channels.look(
        [one for one in central.channels if only in (None, one.empresa_id)],
        empresas={row.id for row in central.empresas},
        gateways=outlets(Redis()),
        heard=in_redis.heard,
        stopped=in_redis.stopped,
    )
    findings += await dealers.look(
        tenancy, rows, silent=silent, done=lambda count: progress(count, len(rows))
    )
    return _report(findings, len(rows))


async def _redis(settings: WorkerSettings) -> tuple[list[Finding], _InRedis]:
    async with Redis.from_pool(settings.redis(timeout_s=_REDIS_S)) as redis:
        try:
            findings = await redis_look.look(redis)
            heard = await redis.zrange(HEARD, 0, -1, withscores=True)
            names = await Workers(redis).names()
            stopped = await _members(redis)
        except (RedisError, OSError, TimeoutError) as error:
            return [redis_look.silent(error)], _InRedis()
    if not names:
        findings.append(
            warning(
                "no_worker",
                "workers",
                "no worker process runs",
                why="what comes is kept, and not answered",
                mend="helix worker",
            )
        )
    return findings, _InRedis(
        heard={int(id_): int(ms) for id_, ms in heard},
        stopped=stopped,
        workers=max(1, len(names)),
    )


async def _members(redis: Redis) -> frozenset[int]:
    # Typed as if a synchronous client might have been given.
    found = await asyncio.ensure_future(redis.smembers(STOPPED_CHANNELS))  # type: ignore[arg-type]
    return frozenset(int(id_) for id_ in found)


async def _backups(conn: Connection, only: int | None) -> list[Finding]:
    try:
        settings = BackupSettings()
    except ValidationError:
        return []  # told by `environment`
    try:
        return await backups.look(conn, settings, datetime.now(UTC), only=only)
    except NotMigrated:
        return []  # told by `registry.behind`


def _media() -> list[Finding]:
    """The folder of buyers' files; a bucket has its own watch."""
    try:
        settings = MediaSettings()
    except ValidationError:
        return []  # told by `environment`
    folder = Path(settings.store)
    if settings.is_bucket or not folder.exists():
        return []
    usage = shutil.disk_usage(folder)
    if usage.free >= _LEAST_FREE * usage.total:
        return []
    return [
        warning(
            "disk",
            "MEDIA_STORE",
            f"{usage.free >> 30} GiB of {usage.total >> 30} are free",
            why="buyers' files cannot be kept on a full disk",
            mend="a larger disk, or s3://",
        )
    ]


def _central(error: HelixError) -> Finding:
    return red(
        "central",
        "central database",
        str(error),
        why="new processes know no dealer; those that run go on for a while",
        mend="DB_HOST, DB_USER, DB_PASSWORD, DB_NAME; `helix migrate` creates it",
    )


def _report(findings: list[Finding], dealers_seen: int) -> Report:
    """Shown whole; the worst first, the same trouble together."""
    ordered = sorted(findings, key=lambda one: (-one.level, one.kind, one.subject))
    return Report(ordered, dealers_seen)

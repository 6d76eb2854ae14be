"""What the commands of `helix dead` have in common: filters, who acts, the open installation."""

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import CentralUnavailable
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.cli.tell import client
from worker.clock import from_ms, to_ms
from worker.dead.audit import Audit
from worker.dead.find import Filter, Finder
from worker.dead.letter import Kind, LetterId
from worker.queue.dead_shelf import DeadShelf

Empresa = Annotated[int | None, typer.Option(min=1, help="Only this dealer's.")]
OfKind = Annotated[Kind | None, typer.Option(help="Only of this kind.")]
Cause = Annotated[
    str | None, typer.Option(help="Only of this group (its short name), or with this in the cause.")
]
Since = Annotated[
    str | None,
    typer.Option(help="Failed at this time or later: 2026-11-24T09:00-03:00 (UTC when it names no "
                 "zone), or 30m, 12h, 3d ago."),
]  # fmt: skip
Until = Annotated[str | None, typer.Option(help="Failed at this time or earlier.")]
Text = Annotated[str | None, typer.Option(help="Only with this in the text of the error.")]
As = Annotated[
    str | None, typer.Option("--as", help="Your name for the audit, beside that of the OS user.")
]

_AGO = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def filter_of(
    empresa: int | None,
    kind: Kind | None,
    cause: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
) -> Filter:
    """The options as a value. Raises typer.BadParameter."""
    return Filter(
        empresa_id=empresa,
        kind=kind,
        cause=cause,
        since_ms=None if since is None else _time(since),
        until_ms=None if until is None else _time(until),
        text=text,
    )


def letter_ids(texts: list[str] | None) -> list[LetterId]:
    """Raises typer.BadParameter."""
    try:
        return [LetterId.read(text) for text in texts or ()]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def in_words(ids: list[LetterId], wanted: Filter) -> str:
    """What was asked for, for the audit."""
    if ids:
        return " ".join(str(letter_id) for letter_id in ids)
    given = {
        "empresa": wanted.empresa_id,
        "kind": wanted.kind,
        "cause": wanted.cause,
        "since": _iso(wanted.since_ms),
        "until": _iso(wanted.until_ms),
        "text": wanted.text,
    }
    return (
        " ".join(f"{name}={value}" for name, value in given.items() if value is not None) or "all"
    )


def _iso(ms: int | None) -> str | None:
    return None if ms is None else from_ms(ms).isoformat(timespec="seconds")


def whoever(named: str | None) -> str:
    """The OS user, by the kernel and not by a variable; with --as the name that was given, too."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        user = f"uid {os.getuid()}"
    return user if named is None else f"{named} ({user})"


@dataclass(frozen=True, slots=True)
class Desk:
    """An open installation."""

    redis: Redis
    tenancy: Tenancy
    audit: Audit
    shelf: DeadShelf
    finder: Finder


@asynccontextmanager
async def open_desk() -> AsyncIterator[Desk]:
    """Opens no connection yet. A RedisError within becomes CentralUnavailable."""
    async with redis_only() as redis, open_tenancy(TenancySettings()) as tenancy:
        shelf = DeadShelf(redis)
        yield Desk(redis, tenancy, Audit(tenancy.central), shelf, Finder(shelf))


@asynccontextmanager
async def redis_only() -> AsyncIterator[Redis]:
    """For what needs no database. A RedisError within becomes CentralUnavailable."""
    try:
        async with client() as redis:
            yield redis
    except RedisError as error:
        raise CentralUnavailable("Redis does not answer: check REDIS_URL") from error


def _time(text: str) -> int:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return int((time.time() - int(ago[1]) * _SECONDS[ago[2]]) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: 2026-11-24T09:00-03:00, or 12h") from None
    at_ms = to_ms(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
    if at_ms < 0:
        raise typer.BadParameter(f"{text!r} is before 1970")
    return at_ms

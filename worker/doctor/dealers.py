"""Looks into dealers' databases, many at a time, each as its own user. Called by `.run`.

So what is found is what a worker meets: who gets in, whose database it is, whether it is current.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from pydantic import SecretStr

from schema.errors import (
    HelixError,
    MigrationChanged,
    NotConfigured,
    SecretUnreadable,
    TenantRefused,
    Transient,
    WrongTenant,
)
from schema.migrator import Migrator
from schema.steps import Kind, versions
from tenancy.direct import direct
from tenancy.drift import drift
from tenancy.empresas import EmpresaRow
from tenancy.faults import TenantFaults
from tenancy.keyring import password_of
from tenancy.lease import Connection
from tenancy.registry import ACTIVE, PAUSED
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target
from worker.doctor.values import Finding, red, warning

_AT_ONCE = 16
_SHOWN = 5


async def look(
    settings: TenancySettings,
    rows: Sequence[EmpresaRow],
    *,
    silent: frozenset[tuple[str, int]] = frozenset(),
    done: Callable[[int], None] = lambda _count: None,
) -> list[Finding]:
    """`silent`: servers that are known not to answer. `done` is told how many are done."""
    due = [row for row in rows if _is_looked_at(row, silent)]
    waiting, findings, count = iter(due), list[Finding](), 0

    async def some() -> None:
        nonlocal count
        for row in waiting:
            findings.extend(await _one(settings, row))
            count += 1
            done(count)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(_AT_ONCE, len(due))):
            group.create_task(some())
    return sorted(findings, key=lambda one: one.subject)


def _is_looked_at(row: EmpresaRow, silent: Iterable[tuple[str, int]]) -> bool:
    """Nobody opens the database of one who is suspended or not made yet."""
    place = row.place
    return (
        place is not None
        and row.status in (ACTIVE, PAUSED)
        and (place.host, place.port) not in silent
    )


async def _one(settings: TenancySettings, row: EmpresaRow) -> list[Finding]:
    subject = f"empresa {row.id}"
    try:
        target = _target(settings, row)
        async with direct(target, Limits.of(settings), TenantFaults(row.id)) as conn:
            return await _inside(conn, row.id)
    except SecretUnreadable:
        return []  # told with the registry's rows
    except HelixError as error:
        return [_failed(subject, row, error)]


async def _inside(conn: Connection, empresa_id: int) -> list[Finding]:
    subject, mend = f"empresa {empresa_id}", f"helix migrate --empresa {empresa_id}"
    missing = await Migrator(conn, versions(Kind.TENANT)).missing()
    if missing:
        what = f"its database lacks {missing} steps of this release"
        why = "a worker of this release cannot store or answer what its buyers write"
        return [red("behind", subject, what, why=why, mend=mend)]
    found = await drift(conn)
    told = [*(f"{what} is missing" for what in found.missing), *found.different]
    if not told:
        return []
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return [
        warning(
            "drift",
            subject,
            f"{'; '.join(told[:_SHOWN])}{more}",
            why="somebody changed tables by hand: statements fail, or get slow",
            mend="bring it back by hand (ALTER TABLE); schema/migrations/tenant/snapshot.sql "
            "shows each table as it should be",
        )
    ]


def _failed(subject: str, row: EmpresaRow, error: HelixError) -> Finding:
    mend = f"helix empresa show {row.id}"
    if isinstance(error, WrongTenant):
        return red(
            "wrong_marker",
            subject,
            str(error),
            mend=mend,
            why="its row leads to another dealer's database: nothing is served",
        )
    if isinstance(error, NotConfigured):
        return red(
            "no_marker",
            subject,
            str(error),
            mend=f"helix empresa create --id {row.id}",
            why="a database that does not say whose it is is not served",
        )
    if isinstance(error, TenantRefused):
        return red(
            "refused",
            subject,
            str(error),
            mend=f"helix empresa create --id {row.id} "
            "sets its user, password and rights anew; of an adopted one: adopt",
            why="all that its buyers write waits",
        )
    if isinstance(error, MigrationChanged):
        return red(
            "changed_migration",
            subject,
            str(error),
            mend="restore that file",
            why="nobody knows what its tables are like",
        )
    if isinstance(error, Transient):
        return red(
            "silent",
            subject,
            str(error),
            why="all that its buyers write waits",
            mend="helix pools shows who holds its server's places",
        )
    return red(
        "no_migrations",
        subject,
        str(error),
        why="it cannot be served",
        mend=f"helix migrate --empresa {row.id}",
    )


def _target(settings: TenancySettings, row: EmpresaRow) -> Target:
    place = row.place
    if place is None:
        raise NotConfigured(row.id, "it has no database")
    return Target(
        host=place.host,
        port=place.port,
        user=place.user,
        password=SecretStr(settings.keyring().open(place.token, purpose=password_of(row.id))),
        database=place.database,
        empresa_id=row.id,
    )

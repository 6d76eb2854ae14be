"""`helix empresa backup-due` and `backup-hour`: backups by themselves."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from redis.exceptions import RedisError

from schema.errors import TryAgain, UnknownEmpresa
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import Empresas
from tenancy.faults import CentralFaults
from tenancy.life import schedule
from tenancy.life.nightly import Outcome, Round
from tenancy.life.settings import BackupSettings
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.alone import alone
from worker.cli.empresa_life import EmpresaId, at_hand
from worker.cli.output import Json, note, print_facts, print_rows, run
from worker.cli.tell import client
from worker.clock import DEALERS_ZONE
from worker.life.nightly import RUNNER

_NICE = 10


def backup_due(as_json: Json = False) -> None:
    """Back up all dealers who are due by now, and delete backups that nobody needs any more.

    Workers with BACKUP_HOUR run this by themselves; run it from a timer where they have no
    PROVISION_DB_USER. One at a time in all the system. Exit code 1: somebody's failed.
    """
    os.nice(_NICE)  # its programs inherit it: buyers are served first
    outcomes = run(_round())
    if outcomes is None:
        note("another process is at it")
        outcomes = []
    rows = [asdict(one) for one in outcomes]
    print_rows(rows, title="Backups of this round", as_json=as_json)
    if any(one.error for one in outcomes):
        raise typer.Exit(1)


async def _round() -> list[Outcome] | None:
    settings = BackupSettings()
    if settings.hour is None:
        raise typer.BadParameter("BACKUP_HOUR is not set: nobody is backed up by himself")
    nightly = Round(
        settings=settings, open_tools=at_hand, zone=DEALERS_ZONE, now=lambda: datetime.now(UTC)
    )
    try:
        async with client() as redis, alone(redis, RUNNER) as is_mine:
            return await nightly.run() if is_mine else None
    except RedisError as error:
        raise TryAgain("Redis does not answer: nobody knows who makes backups now") from error


def backup_hour(
    empresa_id: EmpresaId,
    hour: Annotated[int | None, typer.Option(min=0, max=23, help="By the dealers' clock.")] = None,
    off: Annotated[bool, typer.Option("--off", help="Not by itself.")] = False,
    default: Annotated[bool, typer.Option("--default", help="As BACKUP_HOUR says.")] = False,
    as_json: Json = False,
) -> None:
    """Say from which hour on one dealer is backed up by night. BACKUP_HOUR is for all others."""
    if (hour is not None) + off + default != 1:
        raise typer.BadParameter("one of --hour, --off and --default")
    run(_set(empresa_id, hour, usual=default))
    said = "default" if default else ("off" if off else hour)
    print_facts({"id": empresa_id, "backup_hour": said}, as_json=as_json)


async def _set(empresa_id: int, hour: int | None, *, usual: bool) -> None:
    settings = TenancySettings()
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        if await Empresas(conn).get(empresa_id) is None:
            raise UnknownEmpresa(empresa_id)
        if usual:
            await schedule.usual_hour(conn, empresa_id)
        else:
            await schedule.set_hour(conn, empresa_id, hour)

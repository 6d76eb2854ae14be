"""`helix migrate`: brings all databases to the schema of this release."""

from __future__ import annotations

from typing import Annotated

import typer
import uvloop

from schema.errors import NotConfigured, Transient
from schema.migrator import Migrated
from tenancy.fleet.run import FleetRun
from tenancy.fleet.values import Report, RunState
from tenancy.migrate import migrate_central
from tenancy.settings import TenancySettings
from worker.cli import migrate_look
from worker.cli.migrate_progress import Progressing
from worker.cli.migrate_rows import run_facts, tenant_row
from worker.cli.output import Json, note, print_json, print_rows, say

_SHOWN = 20
"""Dealers whose rows people are shown when all went well."""


def migrate(
    of_run: Annotated[
        int | None,
        typer.Argument(
            metavar="RUN",
            min=1,
            help="Of --resume, --retry-failed and --status: a run's number; default: the last.",
            show_default=False,
        ),
    ] = None,
    empresa: Annotated[int | None, typer.Option(min=1, help="Only this empresa.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be done; do nothing.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the last run, or RUN.")] = False,
    drift: Annotated[
        bool, typer.Option("--drift", help="Compare all databases with ours.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run, or with RUN.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="As --resume, also with those that failed.")
    ] = False,
    wave_pause: Annotated[
        float, typer.Option(min=0, help="Seconds to wait between two waves.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Migrate the central database and those of all empresas. Safe to repeat, and to interrupt.

    In waves: the canaries (`helix empresa canary`), 1 % but at least 5, 10 %, the rest. In between
    the migrated are looked at; a run that does harm stops. Exit code 1: stopped or failed; 3: some
    could not be reached, run it with --retry-failed.
    """
    going_on = resume or retry_failed
    if sum((plan, status, drift, going_on)) > 1:
        raise typer.BadParameter("one of --plan, --status, --drift, --resume at a time")
    if of_run is not None and not (status or going_on):
        raise typer.BadParameter("goes with --status, --resume or --retry-failed", param_hint="RUN")
    if empresa is not None and (status or going_on):
        raise typer.BadParameter("a run has its dealers already", param_hint="--empresa")
    settings = TenancySettings()
    if plan:
        migrate_look.show_plan(settings, empresa, as_json=as_json)
    elif status:
        migrate_look.show_status(settings, of_run, as_json=as_json)
    elif drift:
        migrate_look.show_drift(settings, empresa, as_json=as_json)
    else:
        fleet = _Fleet(settings, empresa, wave_pause, going_on, of_run, retry_failed)
        central, report = uvloop.run(fleet.run())
        _show(central, report, as_json=as_json)
        _exit(report)


class _Fleet:
    """A run as the options ask for it."""

    def __init__(
        self,
        settings: TenancySettings,
        empresa: int | None,
        wave_pause_s: float,
        going_on: bool,
        of_run: int | None,
        retry_failed: bool,
    ) -> None:
        self._settings = settings
        self._empresa = empresa
        self._wave_pause_s = wave_pause_s
        self._going_on = going_on
        self._of_run = of_run
        self._retry_failed = retry_failed

    async def run(self) -> tuple[Migrated, Report]:
        """The central database first: the ledger is there."""
        central = await migrate_central(self._settings)
        with Progressing() as onlooker:
            fleet = FleetRun(self._settings, onlooker=onlooker, wave_pause_s=self._wave_pause_s)
            if self._going_on:
                return central, await fleet.resume(self._of_run, retry_failed=self._retry_failed)
            return central, await fleet.start(only=self._empresa)


def _show(central: Migrated, report: Report, *, as_json: bool) -> None:
    rows: list[dict[str, object]] = [
        {"name": "central", "database": central.database, "version": central.version,
         "steps": central.steps, "state": "feito", "wave": None, "ms": None, "error": None},
        *(tenant_row(outcome) for outcome in report.outcomes),
    ]  # fmt: skip
    if as_json:
        print_json({**run_facts(report), "databases": rows})
        return
    for name, value in run_facts(report).items():
        say(f"{name:<8}  {'-' if value is None else value}")
    shown = rows if len(rows) <= _SHOWN else [row for row in rows if row["error"]]
    if shown:
        print_rows(shown, title="Databases", as_json=False)


def _exit(report: Report) -> None:
    if report.state is RunState.STOPPED:
        note(f"Stopped: {report.reason}")
        note("Mend the cause; then `helix migrate --retry-failed` goes on with this run.")
        raise typer.Exit(1)
    errors = [one.error for one in report.not_done if one.error is not None]
    single = len(report.outcomes) == 1 and not errors and report.outcomes[0].error
    if isinstance(single, NotConfigured):
        raise single
    if not errors:
        return
    note(
        f"{len(errors)} of {len(report.outcomes)} empresas were not migrated; the others are done."
    )
    note("`helix migrate --retry-failed` tries these again.")
    raise typer.Exit(3 if all(isinstance(error, Transient) for error in errors) else 1)

"""`helix migrate`: brings all databases to the schema of this release."""

from __future__ import annotations

from typing import Annotated

import typer

from schema.errors import NotConfigured, Transient
from schema.migrator import Migrated
from tenancy.migrate import Outcome, migrate_central, migrate_empresas
from tenancy.settings import TenancySettings
from worker.cli.output import Json, note, print_rows, run


def migrate(
    empresa: Annotated[int | None, typer.Option(help="Only this empresa.")] = None,
    as_json: Json = False,
) -> None:
    """Migrate the central database and those of all empresas. Safe to repeat, and to interrupt."""
    settings = TenancySettings()
    central, outcomes = run(_migrate(settings, empresa))
    if empresa is not None and not outcomes:
        raise NotConfigured(empresa, "it has no database; `helix empresa create` makes one")
    rows = [_row("central", central, None), *(_tenant_row(outcome) for outcome in outcomes)]
    print_rows(rows, title="Databases", as_json=as_json)
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if not errors:
        return
    note(f"{len(errors)} of {len(outcomes)} empresas failed; the others are done. Run this again.")
    raise typer.Exit(3 if all(isinstance(error, Transient) for error in errors) else 1)


async def _migrate(
    settings: TenancySettings, empresa: int | None
) -> tuple[Migrated, list[Outcome]]:
    central = await migrate_central(settings)
    return central, await migrate_empresas(settings, only=empresa)


def _tenant_row(outcome: Outcome) -> dict[str, object]:
    error = None if outcome.error is None else str(outcome.error)
    return _row(f"empresa {outcome.empresa_id}", outcome.migrated, error)


def _row(name: str, migrated: Migrated | None, error: str | None) -> dict[str, object]:
    return {
        "name": name,
        "database": None if migrated is None else migrated.database,
        "version": None if migrated is None else migrated.version,
        "steps": None if migrated is None else migrated.steps,
        "error": error,
    }

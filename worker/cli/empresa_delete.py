"""`helix empresa delete` and `certificate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenancy.life import delete as delete_of
from worker.cli.empresa_life import Confirm, EmpresaId, Patience, Plan, at_hand, elsewhere_at_hand
from worker.cli.output import Json, note, print_facts, run

Export = Annotated[
    Path | None,
    typer.Option("--export", help="First write all of it into this folder: SQL and JSON lines."),
]


def delete(
    empresa_id: EmpresaId,
    plan: Plan = False,
    confirm: Confirm = None,
    export: Export = None,
    patience_s: Patience = 60,
    as_json: Json = False,
) -> None:
    """Delete a dealer for good: database, account, channels, Redis, files, backups and their key.

    Prints the plan with --plan, the certificate at the end. His id is never used again. Safe to
    repeat after an error or a kill.
    """

    async def work() -> dict[str, object]:
        async with at_hand(patience_s) as tools, elsewhere_at_hand() as elsewhere:
            if plan:
                found = await delete_of.plan(tools, elsewhere, empresa_id)
                note("take an export along with --export FOLDER; --confirm NAME deletes")
                return found.model_dump(mode="json")
            folder = None if export is None else export.absolute()
            done = await delete_of.delete(
                tools, elsewhere, empresa_id, confirmed=confirm or "", export_to=folder
            )
            return done.model_dump(mode="json")

    print_facts(run(work()), as_json=as_json)


def certificate(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """Show the certificate of a dealer who was deleted."""

    async def work() -> dict[str, object]:
        async with at_hand() as tools:
            return (await delete_of.certificate(tools, empresa_id)).model_dump(mode="json")

    print_facts(run(work()), as_json=as_json)

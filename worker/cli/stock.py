"""`helix stock`: a dealer's cars from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.cli.output import Json, note, print_facts, run
from worker.cli.stock_files import read_stock
from worker.cli.stock_rows import CarRow
from worker.cli.stock_store import Imported, store

app = typer.Typer(help="Cars of dealers.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Cars of dealers."""


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    empresa: Annotated[int, typer.Option(min=1, help="Whose cars.")],
    as_json: Json = False,
) -> None:
    """Import cars from CSV, JSON or SQL (INSERTs into cars and car_images): all or nothing.

    A car with an id that is there is changed; an empty cell leaves its column as it is. Running it
    twice adds nothing.
    """
    settings = TenancySettings()
    reading = read_stock(file)
    if reading.problems:
        for problem in reading.problems:
            note(f"line {problem.line}: {problem.text}")
        note(f"Nothing was imported: {len(reading.problems)} lines of {file.name} need repair.")
        raise typer.Exit(1)
    imported = run(_store(settings, empresa, reading.cars))
    print_facts(
        {
            "empresa": empresa,
            "added": imported.added,
            "changed": imported.changed,
            "photos": imported.photos,
        },
        as_json=as_json,
    )


async def _store(settings: TenancySettings, empresa: int, cars: list[CarRow]) -> Imported:
    async with open_tenancy(settings) as tenancy, tenancy.pools.transaction(empresa) as conn:
        return await store(conn, cars)

"""`helix status`: the whole installation on one screen, what is wrong first."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.alarm.settings import AlarmSettings
from worker.cli.output import Json, print_json, run
from worker.cli.tell import client
from worker.status import Level, Status
from worker.status import status as status_of

_EVERY_S = 2.0
_SHOWN = {Level.RED: ("red", "✗"), Level.WARNING: ("yellow", "!"), Level.OK: ("green", "✓")}


def status(
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds.")] = False,
) -> None:
    """Show workers, web, Redis, databases, backlog, waiting buyers, dead letters and alarms.

    Exit code 0: all is well; 1: something to look at; 2: something is wrong now.
    """
    if as_json and watch:
        raise typer.BadParameter("--json is for programs: ask again as often as you like")
    found = run(_watched() if watch else _once())
    if as_json:
        print_json(
            {
                "state": found.level.name.lower(),
                "lines": [
                    {
                        "level": line.level.name.lower(),
                        "part": line.part,
                        "text": line.text,
                        "facts": dict(line.facts),
                    }
                    for line in found.lines
                ],
            }
        )
    elif not watch:
        Console(highlight=False).print(_screen(found))
    raise typer.Exit(int(found.level))


async def _once() -> Status:
    async with client() as redis, open_tenancy(TenancySettings()) as tenancy:
        return await status_of(redis, tenancy.central, AlarmSettings())


async def _watched() -> Status:
    """Until Ctrl-C; the last state is the command's."""
    settings = AlarmSettings()
    async with client() as redis, open_tenancy(TenancySettings()) as tenancy:
        found = await status_of(redis, tenancy.central, settings)
        with Live(_screen(found), console=Console(highlight=False), screen=True) as live:
            try:
                while True:
                    await asyncio.sleep(_EVERY_S)
                    found = await status_of(redis, tenancy.central, settings)
                    live.update(_screen(found))
            except asyncio.CancelledError:
                return found


def _screen(found: Status) -> Table:
    """Signs beside the colours: not everybody sees both, and a file has none."""
    table = Table.grid(padding=(0, 2))
    for line in found.lines:
        colour, sign = _SHOWN[line.level]
        table.add_row(
            Text(sign, style=colour),
            Text(line.part, style="bold" if line.level is Level.RED else ""),
            Text(line.text, style=colour if line.level is not Level.OK else ""),
        )
    return table

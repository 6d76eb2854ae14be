"""`helix doctor`: what is wrong with the installation, and the command that mends it."""

from __future__ import annotations

import os
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from worker.cli.output import Json, print_json, run
from worker.doctor.run import examine
from worker.doctor.values import Finding, Level, Report

_SHOWN = 5
"""Subjects of one trouble; --json has them all."""
_MARKS = {Level.RED: ("red", "✗"), Level.WARNING: ("yellow", "!")}


def doctor(
    empresa: Annotated[
        int | None, typer.Option(min=1, help="Only this dealer, and what all of them share.")
    ] = None,
    env_file: Annotated[
        Path, typer.Option(help="Its names are checked; not read if it is not there.")
    ] = Path(".env"),
    as_json: Json = False,
) -> None:
    """Look at settings, registry, servers, rights, schemas, numbers, Redis and clocks.

    Changes nothing. Exit code 0: nothing is wrong; 1: something will hurt; 2: something hurts now.
    """
    file = env_file if env_file.is_file() else None
    found = run(_examined(file, empresa, quiet=as_json))
    if as_json:
        findings = [{**asdict(one), "level": one.level.name.lower()} for one in found.findings]
        print_json(
            {"state": found.level.name.lower(), "dealers": found.dealers, "findings": findings}
        )
    else:
        _show(Console(highlight=False), found)
    raise typer.Exit(int(found.level))


async def _examined(file: Path | None, empresa: int | None, *, quiet: bool) -> Report:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task("databases", total=None)
        return await examine(
            os.environ,
            file=file,
            only=empresa,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _show(console: Console, found: Report) -> None:
    for _, same in groupby(found.findings, key=lambda one: (one.level, one.kind)):
        findings = list(same)
        for one in findings[:_SHOWN]:
            _line(console, one)
        if len(findings) > _SHOWN:
            console.print(Text(f"  and {len(findings) - _SHOWN} more like it; --json names them"))
    reds = sum(one.level is Level.RED for one in found.findings)
    rest = len(found.findings) - reds
    console.print(Text(f"{found.dealers} dealers: {reds} hurt now, {rest} will one day"))


def _line(console: Console, one: Finding) -> None:
    colour, mark = _MARKS[one.level]
    console.print(Text(f"{mark} {one.subject}: {one.what}", style=colour), soft_wrap=True)
    console.print(Text(f"  because {one.why}"), soft_wrap=True)
    console.print(Text(f"  -> {one.mend}"), soft_wrap=True)

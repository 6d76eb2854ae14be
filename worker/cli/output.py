"""Prints results: tables for people, JSON for programs. Used by every command."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Coroutine, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work."""
    return asyncio.run(work)


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def print_rows(rows: Sequence[Mapping[str, object]], *, title: str, as_json: bool) -> None:
    """Equal rows: a JSON array, or a table."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        say(f"{title}: none yet")
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(markup=False, highlight=False).print(table)


def print_facts(facts: Mapping[str, object], *, as_json: bool) -> None:
    """One thing with its facts: a JSON object, or lines."""
    if as_json:
        print_json(facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        say(f"{name:<{width}}  {_cell(value)}")


def say(text: str) -> None:
    """A line for people on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line for people that is no result: on stderr."""
    sys.stderr.write(text + "\n")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)

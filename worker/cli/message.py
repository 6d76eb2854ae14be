"""`helix message trace`: a message's whole way in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from worker.cli.dead_options import As, Desk, open_desk, whoever
from worker.cli.output import Json, note, print_json, run, say
from worker.dead.audit import Action
from worker.dead.results import Outcome, Result
from worker.dead.round import Tally
from worker.log import mask, short_id
from worker.trace.elsewhere import Elsewhere
from worker.trace.search import Found, Wanted, search
from worker.trace.tell import Facts, told

app = typer.Typer(help="Single messages.", no_args_is_help=True)

_NOT_FOUND, _TRY_LATER = 1, 3


@app.callback()
def _group() -> None:
    """Single messages."""


@app.command()
def trace(
    message_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Ours (7:123, or 123 with --empresa), or a gateway's."),
    ],
    empresa: Annotated[
        int | None, typer.Option(min=1, help="Whose message; default: all are asked.")
    ] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="With whole texts, ids and numbers; audited.")
    ] = False,
    named: As = None,
    limit_s: Annotated[
        float, typer.Option(min=0.1, max=600, help="For each dealer's database.")
    ] = 10.0,
    as_json: Json = False,
) -> None:
    """Tell a message's way from the webhook to `lida`, or why it went another."""
    wanted = Wanted.read(message_id, empresa)
    found = run(_trace(wanted, limit_s, personal=personal, who=whoever(named)))
    ways = [told(way, personal=personal) for way in found.ways]
    if as_json:
        missing = {str(empresa_id): why for empresa_id, why in found.not_asked.items()}
        print_json({"ways": ways, "not_asked": missing})
    else:
        for way in ways:
            _print(way)
    for empresa_id, why in sorted(found.not_asked.items()):
        note(f"empresa {empresa_id} could not be asked in full: {why}")
    if not ways:
        note("no such message: not stored, waiting, dead, or among the newest ignored ones")
        raise typer.Exit(_TRY_LATER if found.not_asked else _NOT_FOUND)


async def _trace(wanted: Wanted, limit_s: float, *, personal: bool, who: str) -> Found:
    async with open_desk() as desk:
        with _progress() as asked:
            found = await search(
                desk.tenancy, Elsewhere(desk.redis), wanted, limit_s=limit_s, asked=asked
            )
        if personal and found.ways:
            await _write_down(desk, wanted, found, who)
        return found


async def _write_down(desk: Desk, wanted: Wanted, found: Found, who: str) -> None:
    """Before anything is shown."""
    ids = [
        f"{way.empresa_id}:{way.story.message.id}" for way in found.ways if way.story is not None
    ]
    named = " ".join(ids) or mask(short_id(wanted.text) or "")
    entry = await desk.audit.begin(
        Action.SHOW_PERSONAL, who=who, wanted=f"message {named}", found=len(found.ways)
    )
    tally = Tally(found=len(found.ways))
    for _ in found.ways:
        tally.add(Result(Outcome.SHOWN))
    await desk.audit.end(entry, tally)


class _Bar:
    """How many dealers have been asked."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("dealers asked", total=None)

    def __call__(self, done: int, of: int) -> None:
        self._progress.update(self._task, completed=done, total=of)


@contextmanager
def _progress() -> Iterator[_Bar]:
    """For a person who watches; nothing into a file."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as progress:
        yield _Bar(progress)


def _print(way: Facts) -> None:
    facts = {name: value for name, value in way.items() if name != "steps" and value is not None}
    say(", ".join(f"{name} {value}" for name, value in facts.items() if name != "stands"))
    say(f"  {facts['stands']}")
    for step in cast("list[Mapping[str, object]]", way["steps"]):
        at, ms = step["at"], step["ms"]
        after = "" if ms is None else f"+{ms} ms"
        say(f"  {at or '-':<29}  {after:>12}  {step['what']:<22}  {step['detail']}")
    say("")

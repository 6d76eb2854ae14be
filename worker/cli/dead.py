"""`helix dead`: what failed for good, for a person to see. `worker.cli.dead_acts` adds the acts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from worker.cli import dead_acts
from worker.cli.dead_options import (
    As,
    Cause,
    Empresa,
    OfKind,
    Since,
    Text,
    Until,
    filter_of,
    letter_ids,
    open_desk,
    redis_only,
    whoever,
)
from worker.cli.output import Json, note, print_facts, print_json, print_rows, run
from worker.clock import from_ms
from worker.dead.audit import Action, Entry
from worker.dead.find import Filter, Finder, Group
from worker.dead.letter import Letter, LetterId
from worker.dead.results import Outcome, Result
from worker.dead.round import Tally
from worker.dead.show import Facts, whole
from worker.queue.dead_shelf import DeadShelf

app = typer.Typer(help="What failed for good: see it, replay it, discard it.", no_args_is_help=True)
app.command()(dead_acts.replay)
app.command()(dead_acts.discard)

_NOT_THERE = 1


@app.command(name="list")
def list_(
    empresa: Empresa = None,
    kind: OfKind = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    each: Annotated[bool, typer.Option("--each", help="Every letter with its id.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most letters with --each.")] = 100,
    as_json: Json = False,
) -> None:
    """List dead letters by cause, without personal data."""
    wanted = filter_of(empresa, kind, cause, since, until, text)
    if each:
        letters, more = run(_letters(wanted, limit))
        print_rows([_line(letter) for letter in letters], title="Dead letters", as_json=as_json)
        if more:
            note(f"these are the first {limit}; --limit shows more")
        return
    groups = run(_groups(wanted))
    if as_json:
        print_json([{**_row(group), "per_empresa": group.per_empresa} for group in groups])
    else:
        print_rows([_row(group) for group in groups], title="Dead letters", as_json=False)


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="From `list --each`.")],
    personal: Annotated[
        bool, typer.Option("--personal", help="With texts, names and numbers; audited.")
    ] = False,
    named: As = None,
    as_json: Json = False,
) -> None:
    """Show one dead letter whole, with the rows that it is about."""
    (wanted,) = letter_ids([letter_id])
    facts = run(_show(wanted, personal=personal, who=whoever(named)))
    if facts is None:
        note(f"there is no dead letter {letter_id}: it was replayed or discarded")
        raise typer.Exit(_NOT_THERE)
    print_facts(facts, as_json=as_json)


@app.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50,
    as_json: Json = False,
) -> None:
    """Show who replayed, discarded or read what, the newest first."""
    entries = run(_audit(limit))
    print_rows([_entry(entry) for entry in entries], title="Actions", as_json=as_json)


async def _groups(wanted: Filter) -> list[Group]:
    async with redis_only() as redis:
        return await Finder(DeadShelf(redis)).groups(wanted)


async def _letters(wanted: Filter, limit: int) -> tuple[list[Letter], bool]:
    """The first ones, and whether there are more."""
    letters: list[Letter] = []
    async with redis_only() as redis:
        async for letter in Finder(DeadShelf(redis)).find(wanted):
            if len(letters) == limit:
                return letters, True
            letters.append(letter)
    return letters, False


async def _show(wanted: LetterId, *, personal: bool, who: str) -> Facts | None:
    async with open_desk() as desk:
        letter = await desk.finder.one(wanted)
        if letter is None:
            return None
        if personal:
            entry = await desk.audit.begin(
                Action.SHOW_PERSONAL, who=who, wanted=str(wanted), found=1
            )
            tally = Tally(found=1)
            tally.add(Result(Outcome.SHOWN))
            await desk.audit.end(entry, tally)
        return await whole(letter, desk.tenancy, personal=personal)


async def _audit(limit: int) -> list[Entry]:
    async with open_desk() as desk:
        return await desk.audit.latest(limit)


def _row(group: Group) -> dict[str, object]:
    return {
        "group": group.name,
        "kind": group.kind.value,
        "cause": group.cause,
        "letters": group.letters,
        "dealers": len(group.per_empresa),
        "oldest": _when(from_ms(group.oldest_ms)),
        "newest": _when(from_ms(group.newest_ms)),
        "example": str(group.example),
    }


def _line(letter: Letter) -> dict[str, object]:
    return {
        "id": str(letter.id),
        "kind": letter.kind.value,
        "empresa": letter.empresa_id,
        "at": _when(from_ms(letter.at_ms)),
        "group": letter.group,
        "cause": letter.cause,
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "who": entry.who,
        "action": entry.action,
        "filter": entry.filter,
        "found": entry.found,
        "counts": entry.counts,
        "reason": entry.reason,
        "interrupted": entry.interrupted,
        "started": _when(entry.started_at),
        "ended": _when(entry.ended_at),
    }


def _when(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")

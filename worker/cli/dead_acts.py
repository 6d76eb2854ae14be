"""`helix dead replay` and `helix dead discard`. Registered by `worker.cli.dead`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.adapters import ADAPTERS
from worker.cli.dead_options import (
    As,
    Cause,
    Desk,
    Empresa,
    OfKind,
    Since,
    Text,
    Until,
    filter_of,
    in_words,
    letter_ids,
    open_desk,
    whoever,
)
from worker.cli.output import Json, note, print_facts, print_json, run, say
from worker.dead.audit import Action
from worker.dead.find import Filter
from worker.dead.letter import Letter, LetterId
from worker.dead.replay import Replayer
from worker.dead.results import Outcome, Result, done
from worker.dead.round import Act, Pace, Tally, chosen, go_through

_A_PERSON_MUST_ACT = 1
_INTERRUPTED = 130

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Letters; from `list --each`.")
]
All = Annotated[bool, typer.Option("--all", help="All letters; else give ids or a filter.")]
Rate = Annotated[float | None, typer.Option(min=0.01, help="Most letters in a second.")]
StopAfter = Annotated[int | None, typer.Option(min=1, help="End when so many are done.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What the person asked for."""

    action: Action
    ids: list[LetterId]
    wanted: Filter
    who: str
    pace: Pace
    plan: bool = False
    reason: str | None = None
    quiet: bool = False


def replay(
    ids: Ids = None,
    empresa: Empresa = None,
    kind: OfKind = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    everything: All = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would happen; change nothing.")
    ] = False,
    rate: Rate = None,
    stop_after: StopAfter = None,
    named: As = None,
    as_json: Json = False,
) -> None:
    """Try again what failed. Safe at any time, any number of times, by two people at once.

    Ctrl-C ends between two letters; the same command goes on from there. Exit code 1: some letters
    stay until a person changes something.
    """
    order = _Order(
        action=Action.REPLAY,
        ids=letter_ids(ids),
        wanted=filter_of(empresa, kind, cause, since, until, text),
        who=whoever(named),
        pace=Pace(per_second=rate, most=stop_after),
        plan=plan,
        quiet=as_json,
    )
    _check(order, everything)
    _tell(order, run(_carry_out(order)), as_json)


def discard(
    ids: Ids = None,
    empresa: Empresa = None,
    kind: OfKind = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    everything: All = False,
    reason: Annotated[str | None, typer.Option(help="Why; asked for when it is missing.")] = None,
    rate: Rate = None,
    stop_after: StopAfter = None,
    named: As = None,
    as_json: Json = False,
) -> None:
    """Throw dead letters away for good; the audit keeps why. Rows in databases stay as they are."""
    order = _Order(
        action=Action.DISCARD,
        ids=letter_ids(ids),
        wanted=filter_of(empresa, kind, cause, since, until, text),
        who=whoever(named),
        pace=Pace(per_second=rate, most=stop_after),
        reason=_reason(reason),
        quiet=as_json,
    )
    _check(order, everything)
    _tell(order, run(_carry_out(order)), as_json)


def _check(order: _Order, everything: bool) -> None:
    """A command without a word about which letters is a slip of the hand."""
    if sum((bool(order.ids), order.wanted != Filter(), everything)) != 1:
        raise typer.BadParameter("give ids, or a filter, or --all")


def _reason(given: str | None) -> str:
    if given is None and sys.stdin.isatty():
        given = str(typer.prompt("Why are they discarded", err=True))
    if given is None or not given.strip():
        raise typer.BadParameter("say why with --reason")
    return given.strip()


async def _carry_out(order: _Order) -> Tally:
    async with open_desk() as desk:
        with _told_to_stop() as stop:
            ids = await chosen(desk.finder, order.ids, order.wanted)
            tally = Tally(found=len(ids))
            if order.plan:
                await _round(order, desk, ids, tally, stop)
                return tally
            entry = await desk.audit.begin(
                order.action,
                who=order.who,
                wanted=in_words(order.ids, order.wanted),
                found=len(ids),
                reason=order.reason,
            )
            try:
                await _round(order, desk, ids, tally, stop)
            finally:
                await desk.audit.end(entry, tally)
            return tally


async def _round(
    order: _Order, desk: Desk, ids: list[LetterId], tally: Tally, stop: asyncio.Event
) -> None:
    with _progress(order) as bar:
        task = bar.add_task(order.action.value, total=len(ids))
        await go_through(
            desk.finder,
            ids,
            _act(order, desk),
            pace=order.pace,
            stop=stop,
            tally=tally,
            step=lambda: bar.advance(task),
        )


def _act(order: _Order, desk: Desk) -> Act:
    if order.action is Action.DISCARD:

        async def throw_away(letter: Letter) -> Result:
            source, stream_id = letter.id.source, letter.id.stream_id
            return done(await desk.shelf.take_away(source.stream, stream_id), Outcome.DISCARDED)

        return throw_away
    replayer = Replayer(desk.redis, desk.tenancy, ADAPTERS)
    return lambda letter: replayer.replay(letter, plan=order.plan)


def _progress(order: _Order) -> Progress:
    """A bar for a person who watches; nothing into a file or beside JSON."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=order.quiet or not sys.stderr.isatty(),
    )


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C and SIGTERM, which then end nothing by themselves."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _tell(order: _Order, tally: Tally, as_json: bool) -> None:
    reasons = [
        {"outcome": outcome.value, "letters": count, "reason": reason}
        for (outcome, reason), count in tally.reasons.most_common()
    ]
    counts = {outcome.value: tally.outcomes[outcome] for outcome in sorted(tally.outcomes)}
    if as_json:
        print_json(
            {
                "plan": order.plan,
                "found": tally.found,
                "outcomes": counts,
                "reasons": reasons,
                "interrupted": tally.interrupted,
            }
        )
    else:
        say("would be:" if order.plan else "done:")
        print_facts({"found": tally.found, **counts}, as_json=False)
        for line in reasons:
            say(f"  {line['letters']} {line['outcome']}: {line['reason']}")
    if tally.seen < tally.found:
        note(f"{tally.found - tally.seen} were not taken up; run this again to go on")
    if tally.interrupted:
        raise typer.Exit(_INTERRUPTED)
    if tally.outcomes[Outcome.STAYS] and not order.plan:
        raise typer.Exit(_A_PERSON_MUST_ACT)

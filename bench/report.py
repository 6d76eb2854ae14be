"""Makes of contests what people and programs read. Called by `bench.parts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.contest import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All rounds of one contestant on one load with one answer."""

    load: str
    answer: str
    contestant: str
    messages: int
    conversations: int
    turns: int
    """Answers that were given; one serves for all messages that lay there unanswered."""
    withdrawn: int
    disordered: int
    per_second: float
    """Messages per second, the median of the rounds."""
    all_rounds: tuple[float, ...]
    cpu_us: float
    """CPU time of the worker process per message, the median, in microseconds."""
    ratio: float
    """How many times as fast as this the product is on the same load."""


def lines(results: Sequence[Result]) -> list[Line]:
    """One line for each contest, in the order in which they were first held."""
    grouped: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        key = (result.shape.name, result.answer, result.contestant)
        grouped.setdefault(key, []).append(result)
    speed = {key: median(one.per_second for one in found) for key, found in grouped.items()}
    made = []
    for (load, answer, contestant), found in grouped.items():
        ours, shape = speed[(load, answer, "helix")], found[0].shape
        made.append(
            Line(
                load=load,
                answer=answer,
                contestant=contestant,
                messages=shape.total,
                conversations=shape.empresas * shape.conversations,
                turns=max(one.outcome.turns for one in found),
                withdrawn=max(one.outcome.withdrawn for one in found),
                disordered=max(one.outcome.disordered for one in found),
                per_second=round(speed[(load, answer, contestant)], 1),
                all_rounds=tuple(round(one.per_second, 1) for one in found),
                cpu_us=round(median(1e6 * one.cpu_s / shape.total for one in found), 1),
                ratio=round(ours / speed[(load, answer, contestant)], 2),
            )
        )
    return made


def show(console: Console, made: Sequence[Line]) -> None:
    """The table."""
    table = Table(title="Messages per second, all stored and answered; one worker process each")
    for name in ("load", "answer", "contestant"):
        table.add_column(name)
    for name in ("messages", "turns", "out of order", "msg/s", "CPU µs/msg", "helix is"):
        table.add_column(name, justify="right")
    for line in made:
        ours = line.contestant == "helix"
        table.add_row(
            line.load, line.answer, line.contestant, f"{line.messages:,}", f"{line.turns:,}",
            f"{line.disordered:,}", f"{line.per_second:,.0f}", f"{line.cpu_us:,.0f}",
            "" if ours else f"{line.ratio:.1f}x",
            end_section=_ends(line, made),
        )  # fmt: skip
    console.print(table)


def _ends(line: Line, made: Sequence[Line]) -> bool:
    following = made[made.index(line) + 1 :]
    return bool(following) and (following[0].load, following[0].answer) != (line.load, line.answer)

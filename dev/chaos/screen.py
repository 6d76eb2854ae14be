"""Progress on the terminal; a line now and then where there is none. Called by `__main__`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from dev.chaos.run import Progress

_LINE_EVERY_S = 10.0


@contextmanager
def screen(console: Console, seconds: float) -> Iterator[Callable[[Progress], None]]:
    """Takes what is to be shown, once a second."""
    if not console.is_terminal:
        yield _lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda progress: live.update(_picture(progress, seconds), refresh=True)


def _lines(console: Console) -> Callable[[Progress], None]:
    next_s = 0.0

    def show(progress: Progress) -> None:
        nonlocal next_s
        if progress.seconds >= next_s:
            console.print(_words(progress), highlight=False)
            next_s = progress.seconds + _LINE_EVERY_S

    return show


def _picture(progress: Progress, seconds: float) -> Group:
    return Group(
        ProgressBar(total=seconds, completed=min(progress.seconds, seconds), width=60),
        Text(_words(progress)),
        Text(", ".join(progress.going_on) or "no fault at the moment", style="red"),
    )


def _words(progress: Progress) -> str:
    return (
        f"{progress.seconds:5.0f} s  {progress.stage}: {progress.faults} faults,"
        f" {progress.written} messages written, {progress.reached} answers on phones"
    )

"""Shows how a run over all dealers goes, and tells the workers. Used by `worker.cli.migrate`.

A bar on a terminal, on stderr; nothing where nobody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tenancy.fleet.run import Onlooker
from tenancy.fleet.values import Outcome, State, Wave
from worker.cli.tell import tell_all


class Progressing(Onlooker):
    """For the length of a `with` block."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]} failed"),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("-", start=False, failed=0)
        self._failed = 0

    def __enter__(self) -> Progressing:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begins(self, wave: Wave, size: int) -> None:
        """See Onlooker."""
        self._failed = 0
        self._progress.remove_task(self._bar)
        self._bar = self._progress.add_task(f"wave {wave}", total=size, failed=0)

    def done(self, outcome: Outcome) -> None:
        """See Onlooker."""
        self._failed += outcome.state is State.FAILED
        self._progress.update(self._bar, advance=1, failed=self._failed)

    async def wave_over(self, outcomes: Sequence[Outcome]) -> None:
        """What waits for the migration of these dealers goes on at once."""
        await tell_all(
            [one.empresa_id for one in outcomes if one.state is State.DONE and one.steps]
        )

"""The ledger of a run is written while it goes on, many dealers a statement."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from tenancy.fleet.ledger import Ledger
from tenancy.fleet.scribe import Scribe
from tenancy.fleet.values import Outcome, State, Wave


class _Paper(Ledger):
    """Keeps what is written."""

    def __init__(self) -> None:
        self.begun: list[Sequence[int]] = []
        self.outcomes: list[list[Outcome]] = []
        self.written = asyncio.Event()

    async def began(self, run: int, empresas: Sequence[int]) -> None:
        del run
        self.begun.append(empresas)

    async def came_out(self, run: int, outcomes: Iterable[Outcome]) -> None:
        del run
        self.outcomes.append(list(outcomes))
        self.written.set()


def _done(empresa_id: int) -> Outcome:
    return Outcome(empresa_id=empresa_id, wave=Wave.REST, state=State.DONE)


async def test_dealers_who_come_one_by_one_are_written_together() -> None:
    """A statement for each would cost more than they do. Nothing is lost, none comes twice."""
    paper = _Paper()
    scribe = Scribe(paper, 1)
    async with asyncio.TaskGroup() as group:
        group.create_task(scribe.write())
        for number in range(200):
            scribe.began(number)
            await asyncio.sleep(0)  # the scribe may write now, and had better not
            scribe.came_out(_done(number))
        scribe.close()

    assert [id_ for ids in paper.begun for id_ in ids] == list(range(200))
    assert [one.empresa_id for some in paper.outcomes for one in some] == list(range(200))
    assert len(paper.begun) < 20


async def test_what_comes_is_written_before_the_end() -> None:
    """`--status` shows a run that goes on: nobody waits for its last dealer."""
    paper = _Paper()
    scribe = Scribe(paper, 1)
    task = asyncio.create_task(scribe.write())
    scribe.came_out(_done(1))
    async with asyncio.timeout(10):
        await paper.written.wait()
    assert not task.done()
    scribe.close()
    await task

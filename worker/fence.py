"""Keeps a worker that slept past its lease from writing. Called first in a job's transaction.

Takes a lock on one row of `_leases`: whoever holds it is the only writer of its task, and knows
that no newer lease has written yet.
"""

from __future__ import annotations

from collections.abc import Sequence

from tenancy.lease import TenantConnection
from tenancy.literals import Params
from tenancy.trips import Row
from worker.queue.keys import Task
from worker.queue.lease import FenceAhead, LeaseLost

_RAISE = """
    INSERT INTO _leases (nome, epoca) VALUES (%(task)s, %(epoch)s)
    ON DUPLICATE KEY UPDATE epoca = GREATEST(epoca, VALUES(epoca))
"""
_LOCK = "SELECT epoca FROM _leases WHERE nome = %(task)s FOR UPDATE"
_READ = "SELECT epoca FROM _leases WHERE nome = %(task)s"
_RAISED = 2
"""What an upsert counts for a row that it changed."""


async def raise_fence(conn: TenantConnection, task: Task, epoch: int) -> bool:
    """Once per lease: from now on older leases write nothing. Raises FenceAhead.

    True when the fence rose by it: then it is passed, too. False leaves that open: `pass_fence`.
    """
    rose, _ = await raise_and_ask(conn, task, epoch)
    return rose


async def raise_and_ask(
    conn: TenantConnection, task: Task, epoch: int, *asked: tuple[str, Params]
) -> tuple[bool, list[Sequence[Row]]]:
    """`raise_fence`, and the rows of what is to be read behind it, in one round trip."""
    fence, *answers = await conn.run_together(
        (_RAISE, {"task": task.value, "epoch": epoch}), *asked
    )
    rose = fence.matched == _RAISED
    if not rose:
        _check(conn, await conn.fetch_one(_READ, {"task": task.value}), epoch)
    return rose, [answer.rows for answer in answers]


async def pass_fence(conn: TenantConnection, task: Task, epoch: int) -> None:
    """Once per transaction. Raises FenceAhead when a newer lease has been here."""
    _check(conn, await conn.fetch_one(_LOCK, {"task": task.value}), epoch)


def _check(conn: TenantConnection, row: Row | None, epoch: int) -> None:
    if row is None:
        raise LeaseLost(f"empresa {conn.empresa_id} has no fence for {epoch}")
    if row[0] != epoch:
        raise FenceAhead(conn.empresa_id, mine=epoch, newest=row[0])


async def after_the_drain(conn: TenantConnection) -> None:
    """For whoever changes a conversation without a lease: waits for the drain's transaction.

    The drain holds this row for the length of it: between its reading of a conversation and its
    writing, nobody else writes one.
    """
    await conn.fetch_one(_LOCK, {"task": Task.DRAIN.value})

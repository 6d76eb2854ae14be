"""Keeps a worker that slept past its lease from writing. Called first in a job's transaction.

Takes a lock on one row of `_leases`: whoever holds it is the only writer of its task, and knows
that no newer lease has written yet.
"""

from __future__ import annotations

from tenancy.lease import TenantConnection
from worker.queue.keys import Task
from worker.queue.lease import LeaseLost

_RAISE = """
    INSERT INTO _leases (nome, epoca) VALUES (%(task)s, %(epoch)s)
    ON DUPLICATE KEY UPDATE epoca = GREATEST(epoca, VALUES(epoca))
"""
_LOCK = "SELECT epoca FROM _leases WHERE nome = %(task)s FOR UPDATE"


async def raise_fence(conn: TenantConnection, task: Task, epoch: int) -> bool:
    """Once per lease: from now on older leases write nothing.

    True when the fence rose by it: then it is passed, too. False leaves that open: `pass_fence`.
    """
    # A changed row counts 2. One that is new, or has this epoch or a newer one already, counts 1.
    return await conn.execute(_RAISE, {"task": task.value, "epoch": epoch}) == 2


async def pass_fence(conn: TenantConnection, task: Task, epoch: int) -> None:
    """Once per transaction. Raises LeaseLost when a newer lease has been here."""
    row = await conn.fetch_one(_LOCK, {"task": task.value})
    if row is None or row[0] != epoch:
        raise LeaseLost(f"a newer lease than {epoch} writes to empresa {conn.empresa_id}")


async def after_the_drain(conn: TenantConnection) -> None:
    """For whoever changes a conversation without a lease: waits for the drain's transaction.

    The drain holds this row for the length of it: between its reading of a conversation and its
    writing, nobody else writes one.
    """
    await conn.fetch_one(_LOCK, {"task": Task.DRAIN.value})

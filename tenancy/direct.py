"""A connection of its own for one piece of work: migrations and provisioning. Never pooled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tenancy.faults import Faults
from tenancy.lease import Connection
from tenancy.opening import open_session
from tenancy.session import Profile
from tenancy.target import Limits, Target


@asynccontextmanager
async def direct(
    target: Target, limits: Limits, faults: Faults, *, profile: Profile = Profile.ADMIN
) -> AsyncIterator[Connection]:
    """Opened for the block, closed with it, and with it all locks that it holds.

    Raises what `faults` makes of the cause, and WrongTenant where the target names an empresa.
    """
    session = await open_session(target, limits, faults, kill=_leave_it, profile=profile)
    conn = Connection(session)
    try:
        yield conn
    finally:
        conn.expire()
        session.quit()


def _leave_it(_target: Target, _thread_id: int) -> None:
    """An ALTER that was begun is better finished: the next run finds it done."""

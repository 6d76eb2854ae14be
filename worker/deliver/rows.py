"""Changes the rows of replies, whatever is in the way for a moment. Called by `results`, `sender`.

Each change is a connection or a transaction of its own: a send takes long, and holds none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import structlog

from schema.errors import Transient, TryAgain
from schema.replies import Sent, Template
from tenancy.start import Tenancy
from worker.deliver import window
from worker.deliver.outbox import OpenReply, Outbox
from worker.queue.dead_letters import DeadLetters
from worker.queue.lease import Lease

log = structlog.get_logger()

T = TypeVar("T")

_RECORD_TRIES = 5
_LOCK_TRIES = 3
_WINDOW_SHUT = "the 24-hour window is shut"


class Rows:
    """The replies of all dealers. One per process."""

    def __init__(self, *, tenancy: Tenancy, dead_letters: DeadLetters) -> None:
        self._pools = tenancy.pools
        self._dead_letters = dead_letters

    async def change(
        self, lease: Lease, call: Callable[[Outbox], Awaitable[T]], *, whole: bool = False
    ) -> T:
        """One call on the outbox, repeated when a lock was in the way.

        `whole`: committed when the call returns, else each statement by itself.
        """
        opened = self._pools.transaction if whole else self._pools.connection
        for tries_left in reversed(range(_LOCK_TRIES)):
            try:
                async with opened(lease.empresa_id) as conn:
                    return await call(Outbox(conn, lease.epoch))
            except TryAgain:
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def record(self, lease: Lease, reply: OpenReply, sent: Sent) -> None:
        """Tries for some seconds: the row is all that keeps this reply from going out again."""
        for wait_s in (*[2.0**n / 4 for n in range(_RECORD_TRIES)], None):
            try:
                await self.change(lease, lambda outbox: outbox.record(reply, sent))
            except Transient:
                if wait_s is None:
                    log.exception("sent but not recorded", empresa_id=lease.empresa_id,
                                  mensagem_id=reply.id)  # fmt: skip
                    raise
                await asyncio.sleep(wait_s)
            else:
                return

    async def give_up(self, lease: Lease, reply: OpenReply, error: str, *, cause: str) -> None:
        """It will not go out, or not again: a person finds it among the dead letters.

        The letter comes before the commit: who dies between them leaves one too many, never none.
        """

        async def fail(outbox: Outbox) -> None:
            if await outbox.fail(reply, error=error):
                await self._dead_letters.keep_reply(
                    lease.empresa_id, reply.id, error=error, cause=cause
                )

        await self.change(lease, fail, whole=True)

    async def was_asked(self, lease: Lease, reply: OpenReply) -> bool:
        """See `window.was_asked`."""
        async with self._pools.connection(lease.empresa_id) as conn:
            return await window.was_asked(conn, reply)

    async def replace(self, lease: Lease, reply: OpenReply, template: Template) -> None:
        """See `window.put_in_place`."""
        async with self._pools.transaction(lease.empresa_id) as conn:
            await window.put_in_place(conn, reply, template)

    async def hand_over(self, lease: Lease, reply: OpenReply, *, until: datetime) -> bool:
        """See `window.hand_over`; a person finds it among the dead letters, too."""
        async with self._pools.transaction(lease.empresa_id) as conn:
            was_open = await window.hand_over(conn, reply, until=until)
            if was_open:
                await self._dead_letters.keep_reply(
                    lease.empresa_id, reply.id, error=window.SHUT, cause=_WINDOW_SHUT
                )
        return was_open

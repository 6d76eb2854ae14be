"""Ends statements on the server that nobody waits for any more. Called by `tenancy.session`.

A server goes on with a statement, and with its locks, after the client has cut the connection. So a
second, short connection as the same user (every user may kill its own threads) kills the first.
`max_statement_time` is the backstop for what is not killed here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from schema.errors import HelixError
from tenancy.faults import CentralFaults
from tenancy.session import open_session
from tenancy.target import Limits, Target

log = structlog.get_logger()

# Thread ids are used again after a restart: only our own user's thread is meant. A thread that is
# gone by itself is no error, so it is asked for first.
_OURS = """
    SELECT id FROM information_schema.processlist
     WHERE id = %(id)s AND user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
"""
_KILL = "KILL CONNECTION %s"
_LIMIT_S = 2.0
_QUEUE = 64


class StatementKiller:
    """Kills in the background, one at a time per server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = replace(limits, connect_s=_LIMIT_S, statement_s=_LIMIT_S)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    def kill(self, target: Target, thread_id: int) -> None:
        """Sees to it that the thread ends; returns at once."""
        if len(self._tasks) >= _QUEUE:
            log.warning("kill skipped", thread_id=thread_id, empresa_id=target.empresa_id)
            return
        turn = self._turns.setdefault(target.address, asyncio.Lock())
        task = asyncio.create_task(self._kill(target, thread_id, turn), name=f"kill-{thread_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, grace_s: float) -> None:
        """Waits for what is under way, then gives it up."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _kill(self, target: Target, thread_id: int, turn: asyncio.Lock) -> None:
        try:
            async with turn:
                await self._kill_now(replace(target, database=None, empresa_id=None), thread_id)
        except HelixError as error:
            log.warning("kill failed", empresa_id=target.empresa_id, reason=str(error))

    async def _kill_now(self, target: Target, thread_id: int) -> None:
        """Without a database or a proof of identity: the database itself may be what hangs."""
        session = await open_session(target, self._limits, CentralFaults(), kill=_let_be)
        try:
            if (await session.run(_OURS, {"id": thread_id})).rows:
                await session.run(_KILL, (thread_id,))
        finally:
            session.cut()


def _let_be(_target: Target, _thread_id: int) -> None:
    """A killer that hangs is not killed in turn; its statement limit is two seconds."""

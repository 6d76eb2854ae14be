"""Ends statements on the server that nobody waits for any more. Called by `tenancy.session`.

A server goes on with a statement, and with its locks, after the client has cut the connection. So a
second, short connection as the same user (every user may kill its own threads) kills the first.
`max_statement_time` is the backstop for what is not killed here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from schema.errors import HelixError, StatementRefused, Transient
from tenancy.faults import CentralFaults
from tenancy.meter import meter_of
from tenancy.opening import open_session
from tenancy.target import Limits, Target

log = structlog.get_logger()

# Not information_schema.processlist, which makes a temporary table for each question.
_THREADS = "SHOW PROCESSLIST"
_KILL = "KILL CONNECTION %s"
_GONE = 1094
"""ER_NO_SUCH_THREAD: it ended by itself meanwhile."""
_LIMIT_S = 2.0
_MOST_WAITING = 1024
_AT_ONCE = 2
"""Connections per server outside its budget: a dealer whose login hangs must not hold up others."""


class _Queue:
    """What is to be killed on one server, by login."""

    def __init__(self) -> None:
        self.threads: dict[Target, list[int]] = {}
        self.workers = 0


class StatementKiller:
    """Kills in the background. A dealer's threads that wait together are killed together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = replace(limits, connect_s=_LIMIT_S, statement_s=_LIMIT_S)
        self._queues: dict[tuple[str, int], _Queue] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def kill(self, target: Target, thread_id: int) -> None:
        """Sees to it that the thread ends; returns at once."""
        if self._closed or self._waiting >= _MOST_WAITING:
            meter_of(target).kills["skipped"] += 1
            log.warning("kill skipped", thread_id=thread_id, empresa_id=target.empresa_id)
            return
        # Without a database or a proof of identity: the database itself may be what hangs.
        login = replace(target, database=None, empresa_id=None)
        queue = self._queues.setdefault(target.address, _Queue())
        queue.threads.setdefault(login, []).append(thread_id)
        self._waiting += 1
        if queue.workers < _AT_ONCE:
            queue.workers += 1
            task = asyncio.create_task(self._work(queue), name=f"kill-{target.host}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self, grace_s: float) -> None:
        """Waits for what is under way, then gives it up. What is asked for later is skipped."""
        self._closed = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, queue: _Queue) -> None:
        try:
            while queue.threads:
                login = next(iter(queue.threads))
                thread_ids = queue.threads.pop(login)
                self._waiting -= len(thread_ids)
                await self._kill(login, thread_ids)
        finally:
            queue.workers -= 1

    async def _kill(self, login: Target, thread_ids: list[int]) -> None:
        for is_last in (False, True):  # a server may be too busy once, or this killed in turn
            try:
                await self._kill_now(login, thread_ids)
            except HelixError as error:
                if is_last or not isinstance(error, Transient):
                    meter_of(login).kills["failed"] += len(thread_ids)
                    log.warning("kill failed", user=login.user, reason=str(error))
                    return
            else:
                return

    async def _kill_now(self, login: Target, thread_ids: list[int]) -> None:
        session = await open_session(login, self._limits, CentralFaults(), kill=_let_be)
        try:
            # Ids are used again after a restart: only threads of our own user are meant.
            rows = (await session.run(_THREADS)).rows
            ours = {int(row[0]) for row in rows if row[1] == login.user}.intersection(thread_ids)
            kills = meter_of(login).kills
            kills["ended"] += len(thread_ids) - len(ours)
            for thread_id in ours:
                kills["killed"] += 1
                try:
                    await session.run(_KILL, (thread_id,))
                except StatementRefused as error:
                    if error.code != _GONE:
                        raise
        finally:
            session.cut()


def _let_be(_target: Target, _thread_id: int) -> None:
    """A killer that hangs is not killed in turn; its statement limit is two seconds."""

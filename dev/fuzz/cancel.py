"""Cancels a task at its n-th await, exactly. Used by `dev.fuzz.users`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Generator
from typing import Any


class CancelledAt:
    """Awaits a coroutine; at its n-th suspension the task that awaits this is cancelled.

    Half of the cancels come in the moment in which what it waits for is done: it has been handed
    something, and never gets to know.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, None], at: int | None, *, chance: random.Random
    ) -> None:
        """`at`: counted from 0; None never."""
        self._coroutine = coroutine
        self._at = at
        self._when_done = chance.random() < 0.5

    def __await__(self) -> Generator[Any, Any, None]:
        task = asyncio.current_task()
        step, send, error = 0, None, None
        while True:
            try:
                given = (
                    self._coroutine.send(send) if error is None else self._coroutine.throw(error)
                )
            except StopIteration:
                return
            if step == self._at and task is not None:
                self._cancel(task, given)
            step += 1
            send, error = None, None
            try:
                send = yield given
            except BaseException as thrown:  # noqa: BLE001 - handed on as it is
                error = thrown

    def _cancel(self, task: asyncio.Task[Any], waits_for: object) -> None:
        if self._when_done and isinstance(waits_for, asyncio.Future):
            # Called before the task's own wake-up, which was not even registered yet.
            waits_for.add_done_callback(lambda _done: task.cancel())
        else:
            asyncio.get_running_loop().call_soon(task.cancel)

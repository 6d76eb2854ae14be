"""What can be seen of a stand-in, and waited for. The base of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from gateway.standin.values import Outgoing, Push


class Watched:
    """What reached the phones, what was pushed to us, what we asked for."""

    def __init__(self) -> None:
        self.outbox: list[Outgoing] = []
        self.unheard: set[str] = set()
        """Ids of messages in the outbox whose answer nobody was there to hear any more."""
        self.pushes: list[Push] = []
        self.marks: list[Mapping[str, object]] = []
        """Bodies that marked messages read, or showed that we write."""
        self.files_asked = 0
        self.files_flow = asyncio.Event()
        """While it is not set, who asks for a file waits."""
        self.files_flow.set()
        self._changed = asyncio.Condition()

    async def wait_for(
        self, wanted: int | Callable[[list[Outgoing]], bool], timeout_s: float = 10.0
    ) -> list[Outgoing]:
        """The outbox once it holds that many messages, or once `wanted` says so; TimeoutError."""
        holds = wanted if callable(wanted) else lambda outbox: len(outbox) >= wanted
        await self._until(lambda: holds(self.outbox), timeout_s)
        return list(self.outbox)

    async def wait_for_pushes(self, count: int, timeout_s: float = 10.0) -> list[Push]:
        """All attempts to push a webhook so far, once there are `count`; TimeoutError."""
        await self._until(lambda: len(self.pushes) >= count, timeout_s)
        return list(self.pushes)

    async def wait_for_marks(
        self, count: int, timeout_s: float = 10.0
    ) -> list[Mapping[str, object]]:
        """All that we marked read or showed so far, once there are `count`; TimeoutError."""
        await self._until(lambda: len(self.marks) >= count, timeout_s)
        return list(self.marks)

    async def wait_for_file_requests(self, count: int, timeout_s: float = 10.0) -> None:
        """Returns once files were asked for so often; TimeoutError."""
        await self._until(lambda: self.files_asked >= count, timeout_s)

    async def hand_over_file(self) -> None:
        """A file is asked for: returns when it may flow."""
        async with self._changed:
            self.files_asked += 1
            self._changed.notify_all()
        await self.files_flow.wait()

    async def keep_mark(self, body: Mapping[str, object]) -> None:
        """A message was marked read, or the buyer sees that we write."""
        async with self._changed:
            self.marks.append(body)
            self._changed.notify_all()

    async def _until(self, holds: Callable[[], bool], timeout_s: float) -> None:
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(holds)

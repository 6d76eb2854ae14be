"""Starts and stops the product's own processes. Used by the demo, the chat, tests and bench.

They are the real ones, `helix web` and `helix worker`; their log lines are read as they come.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

_READY_S = 30.0
_STOP_S = 20.0
_PR_SET_PDEATHSIG = 1


class NotStarted(RuntimeError):
    """A process ended, or said nothing, before it was ready; its last lines are in the text."""


@dataclass(slots=True)
class Process:
    """One process of the product."""

    name: str
    child: asyncio.subprocess.Process
    news: asyncio.Condition
    """Of the whole stack: notified at each log line and each end."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """Its log so far, each line as JSON; what is no JSON stands under `event`."""
    reader: asyncio.Task[None] | None = None
    ended: bool = False

    @property
    def pid(self) -> int:
        """For signals."""
        return self.child.pid

    def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        self.child.kill()

    async def stop(self) -> int:
        """SIGTERM, then waits for the end; SIGKILL when that takes too long. Returns the code."""
        if self.child.returncode is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_S):
                code = await self.child.wait()
        except TimeoutError:
            self.child.kill()
            code = await self.child.wait()
        if self.reader is not None:
            await self.reader
        return code

    async def wait_for(self, event: str, *, timeout_s: float = _READY_S) -> dict[str, Any]:
        """The first log line with this event, those before now included. Raises NotStarted."""
        try:
            async with asyncio.timeout(timeout_s), self.news:
                while True:
                    for line in self.lines:
                        if line.get("event") == event:
                            return line
                    if self.ended:
                        raise NotStarted(f"{self.name} ended before {event!r}: {self._last()}")
                    await self.news.wait()
        except TimeoutError:
            raise NotStarted(
                f"{self.name}: no {event!r} in {timeout_s} s: {self._last()}"
            ) from None

    def _last(self) -> str:
        return "\n".join(orjson.dumps(line, default=str).decode() for line in self.lines[-5:])

    async def read(self) -> None:
        """Collects the log until the process ends."""
        stream = self.child.stderr
        if stream is None:
            raise RuntimeError("the log of this process goes elsewhere")
        while raw := await stream.readline():
            try:
                line = orjson.loads(raw)
            except orjson.JSONDecodeError:
                line = {"event": raw.decode(errors="replace").rstrip()}
            async with self.news:
                self.lines.append(line)
                self.news.notify_all()
        async with self.news:
            self.ended = True
            self.news.notify_all()


class Stack:
    """Processes of one installation, which the environment describes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self.processes: list[Process] = []
        self.news = asyncio.Condition()

    async def web(self, **environment: str) -> tuple[Process, str]:
        """A ready web process and its base address."""
        process = await self.start("web", ["web"], {"PORT": "0", **environment})
        ready = await process.wait_for("web ready")
        return process, str(ready["address"])

    async def worker(self, **environment: str) -> Process:
        """A ready worker process."""
        process = await self.start("worker", ["worker"], environment)
        await process.wait_for("worker ready")
        return process

    async def start(
        self,
        name: str,
        args: Sequence[str],
        environment: Mapping[str, str],
        *,
        program: str = "worker",
    ) -> Process:
        """`python -m worker ARGS`; it dies with us, however we end."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", program, *args,
            env={**self._environment, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            start_new_session=True,
        )  # fmt: skip
        process = Process(name, child, self.news)
        process.reader = asyncio.create_task(process.read(), name=f"log-of-{name}")
        self.processes.append(process)
        return process

    async def until(
        self, holds: Callable[[], Awaitable[bool]], *, timeout_s: float = _READY_S
    ) -> None:
        """Waits until `holds` says so; it is asked after each log line. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                async with self.news:
                    seen = self._lines()
                if await holds():
                    return
                async with self.news:
                    while self._lines() == seen:
                        await self.news.wait()

    def _lines(self) -> int:
        return sum(len(process.lines) for process in self.processes)

    async def stop(self) -> None:
        """Stops all that runs, the webs first, so that nothing more comes in."""
        for process in sorted(self.processes, key=lambda p: p.name != "web"):
            await process.stop()


@asynccontextmanager
async def running_stack(environment: Mapping[str, str]) -> AsyncIterator[Stack]:
    """A stack that is stopped at the end of the block."""
    stack = Stack(environment)
    try:
        yield stack
    finally:
        await stack.stop()


def _die_with_parent() -> None:
    with suppress(OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

"""What every contestant's process does around its work: get ready, wait for "go", then work.

So neither the start of Python nor imports are measured. Called by the contestants, each run by a
part of the benchmark.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from contextlib import suppress

import orjson
from arq.worker import Worker

from bench.commits import noted

READY = "ready"


async def work_from_go(worker: Worker) -> None:
    """Works until stdin is closed, then says on stdout how much CPU time that took."""
    await get_go()
    started = time.process_time()
    working = asyncio.create_task(worker.async_run())
    stopping = asyncio.create_task(get_stop())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if working.done():
        await working  # it fails, or it has heard a signal
    tell_cpu(started)
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    await worker.close()


async def get_go() -> None:
    """Says that all is ready and waits for the word."""
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def get_stop() -> None:
    """Waits for the end of stdin, which comes also when the parent was killed."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        with suppress(RuntimeError):  # the loop may have ended by itself
            loop.call_soon_threadsafe(ended.set)

    # One that nobody waits for: a process that fails must end without the word of its parent.
    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()


def tell_cpu(started: float) -> None:
    """The CPU time of this process since `started`, and the commits that were noted."""
    report = {"cpu_s": time.process_time() - started, "commits": noted()}
    print(orjson.dumps(report).decode(), flush=True)

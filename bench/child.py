"""What every contestant's process does around its work: get ready, wait for "go", then work.

So neither the start of Python nor imports are measured. Called by the contestants, each run by a
part of the benchmark.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time

import orjson
from arq.worker import Worker

from bench.commits import noted

READY = "ready"


async def work_from_go(worker: Worker) -> None:
    """Works until stdin is closed, then says on stdout how much CPU time that took."""
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    threading.Thread(target=_stop_at_the_end, daemon=True).start()
    started = time.process_time()
    try:
        await worker.async_run()
    except asyncio.CancelledError:
        tell_cpu(started)
    finally:
        await worker.close()


async def get_go() -> None:
    """Says that all is ready and waits for the word."""
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def get_stop() -> None:
    """Waits for the end of stdin."""
    await asyncio.to_thread(sys.stdin.read)


def tell_cpu(started: float) -> None:
    """The CPU time of this process since `started`, and the commits that were noted."""
    report = {"cpu_s": time.process_time() - started, "commits": noted()}
    print(orjson.dumps(report).decode(), flush=True)


def _stop_at_the_end() -> None:
    """Also when the parent was killed."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

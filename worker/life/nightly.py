"""Starts a round of backups when somebody is due. An arq job of `worker.arq_queues`.

The round is a program of its own, `helix empresa backup-due`, with low priority: what it compresses
and encrypts takes nothing from the loop that answers buyers, and it needs no place in their pools.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from tenancy.central import Central
from tenancy.life.schedule import due
from tenancy.life.settings import BackupSettings
from worker.clock import DEALERS_ZONE

log = structlog.get_logger()

RUNNER: Final = "helix:backups"
"""The lease of whoever makes backups now; the round itself takes it."""
ROUND: Final = (sys.executable, "-m", "worker", "empresa", "backup-due", "--json")
_STOP_S = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """One per process. The program is given this process's environment."""

    central: Central
    settings: BackupSettings
    command: Sequence[str] = ROUND
    now: Callable[[], datetime] = _now

    async def run(self) -> bool:
        """Until the round is at its end; False when nobody was due. Cancelled, it ends the program:
        what it was in the middle of is gone on with by the next round, wherever that runs.

        Raises CentralUnavailable.
        """
        if self.settings.hour is None:
            return False
        async with self.central.connection() as conn:
            waiting = await due(conn, self.settings, self.now(), DEALERS_ZONE)
        if not waiting:
            return False
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await process.communicate()
        finally:
            await _end(process)
        said = {"code": process.returncode, "due": len(waiting)}
        if process.returncode:
            tail = err.decode(errors="replace")[-2000:]
            log.error("backups failed", **said, outcomes=out.decode(errors="replace"), said=tail)
        else:
            log.info("backups made", **said, outcomes=out.decode(errors="replace"))
        return True


async def _end(process: asyncio.subprocess.Process) -> None:
    """Returns when it is gone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

"""A program that does a drain and a delivery, and ends by SIGKILL just before its n-th command.

Commands are statements to databases, commands to Redis and requests to gateways. Each line on its
input, `n empresa`, is one such death; the line that it answers with is the exit code, 0 when there
were fewer than n commands. A process of its own for each, forked so that none has to import again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import aiomysql
import structlog
from redis.asyncio.connection import AbstractConnection

from gateway.settings import GatewaySettings
from tenancy.settings import TenancySettings
from tests.worker.shop import AT_ONCE, BY_THE_TEST, echo
from worker.arq_queues import connect
from worker.jobs import ProcessSettings, open_jobs
from worker.settings import WorkerSettings


class Countdown:
    """Kills this process when it has been asked `left` times."""

    def __init__(self) -> None:
        self.left: int | None = None

    def before(self, owner: type, name: str) -> None:
        """From now on each call of this method counts."""
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        setattr(owner, name, counted)


async def work(countdown: Countdown, n: int, empresa_id: int) -> None:
    """Both jobs, as arq would run them one after the other."""
    settings = ProcessSettings(
        worker=WorkerSettings(mark_read=False),
        tenancy=TenancySettings(),
        lucas=AT_ONCE,
        gateway=GatewaySettings(send_timeout_s=5),
    )
    redis = await connect(settings.worker)
    async with open_jobs(settings, redis, decide_turn=echo) as jobs:
        countdown.left = n
        await jobs.drainer.drain(empresa_id, BY_THE_TEST)
        await jobs.deliverer.deliver(empresa_id, BY_THE_TEST)
        countdown.left = None
    await redis.aclose()


def main() -> None:
    """Until the input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    countdown = Countdown()
    countdown.before(AbstractConnection, "send_packed_command")
    countdown.before(aiomysql.Connection, "_execute_command")
    countdown.before(aiohttp.ClientSession, "_request")
    for line in sys.stdin:
        n, empresa_id = (int(part) for part in line.split())
        child = os.fork()
        if child == 0:
            asyncio.run(work(countdown, n, empresa_id))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

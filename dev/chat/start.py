"""Runs a piece of work on a whole installation and says how it went. Used by chat and demo.

Exit codes: 0 done, 1 failed (the last line says what), 130 broken off with Ctrl-C.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack

import structlog

from dev.chat.installation import Installation, running_installation
from dev.chat.rows import NotAnswered
from dev.chat.screen import Screen
from dev.chat.steps import Steps
from dev.dealers import DemoDealer
from dev.dealers.claim import NotOurs
from dev.servers import Servers, ServersError, running
from dev.stack import NotStarted
from schema.errors import HelixError

Work = Callable[[Installation], Awaitable[None]]

OK, FAILED, BROKEN_OFF = 0, 1, 130
_EXPECTED = (ServersError, NotStarted, NotOurs, NotAnswered, HelixError, OSError, ValueError)


_COMPLAINTS = 5


class Failed(Exception):
    """The work did not keep what it promises; the message says which."""


def run(dealers: Sequence[DemoDealer], screen: Screen, work: Work) -> tuple[int, str]:
    """The exit code and, unless it is 0, why. Whatever was started is stopped by then."""
    # What the product's parts say in this process would tear the bubbles apart.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    steps = Steps(screen.show)
    screen.show("Subindo o Helix inteiro nesta máquina:")
    try:
        with ExitStack() as stack:
            with steps.step("MariaDB e Redis, só desta cópia do projeto"):
                servers = stack.enter_context(running())
            asyncio.run(_work(servers, dealers, screen, steps, work))
    except KeyboardInterrupt:
        return BROKEN_OFF, "interrompido"
    except (Failed, *_EXPECTED) as error:
        return FAILED, str(error) or type(error).__name__
    return OK, ""


async def _work(
    servers: Servers, dealers: Sequence[DemoDealer], screen: Screen, steps: Steps, work: Work
) -> None:
    async with running_installation(servers, dealers, steps) as installation:
        screen.show(f"  Pronto em {steps.total()}.", "")
        try:
            await work(installation)
        except (Failed, NotAnswered):
            screen.show(*_complaints(installation))
            raise


def _complaints(installation: Installation) -> list[str]:
    """What the processes warned of last: it may be the reason."""
    lines = [line for process in installation.stack.processes for line in process.lines]
    bad = [line for line in lines if line.get("level") in ("warning", "error", "critical")]
    return [str(line) for line in bad[-_COMPLAINTS:]]

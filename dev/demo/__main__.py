"""`python -m dev.demo`: two dealers on this machine. What `make demo` calls.

In a terminal, a chat with Lucas. With DEMO_SCRIPT=1, or without a terminal, a talk that is played
and checked; DEMO_SCRIPT=file plays the lines of a file as a buyer's. The last line of a played talk
is `demo: ok`, or `demo: failed: ` and what.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dev.chat.installation import Installation
from dev.chat.screen import Plain, Screen, Terminal, has_terminal
from dev.chat.start import FAILED, OK, run
from dev.chat.talk import talk
from dev.dealers import demo_dealers
from dev.demo.script import play

_OWN_TALK = frozenset({"1", "true", "yes", "sim"})


def main() -> int:
    """The exit code: 0 done, 1 failed, 130 broken off."""
    wanted = os.environ.get("DEMO_SCRIPT", "").strip()
    if wanted.lower() in _OWN_TALK or (not wanted and not has_terminal()):
        return _played()
    if wanted:
        return _from_file(Path(wanted))
    code, _ = talk(demo_dealers(), Terminal())
    return code


def _played() -> int:
    screen = Plain()

    async def work(installation: Installation) -> None:
        await play(installation, screen)

    return _said(screen, *run(demo_dealers(), screen, work))


def _from_file(path: Path) -> int:
    try:
        with path.open(encoding="utf-8") as lines:
            screen = Plain(lines)
            code, why = talk(demo_dealers(), screen, empresa_id=demo_dealers()[0].empresa_id)
    except OSError as error:
        screen, code, why = Plain(), FAILED, f"{path}: {error.strerror}"
    return _said(screen, code, why)


def _said(screen: Screen, code: int, why: str) -> int:
    first, _, more = why.partition("\n")
    screen.show(more, "demo: ok" if code == OK else f"demo: failed: {first}")
    return code


if __name__ == "__main__":
    sys.exit(main())

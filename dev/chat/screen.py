"""Where a talk is shown and where lines come from: a terminal, a pipe or a file.

Used by the chat and the demo. In a terminal, what Lucas says appears above the line being typed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import print_formatted_text
from rich.console import Console, RenderableType

from dev.chat.view import COMMANDS

_NARROWEST, _WIDEST, _WITHOUT_TERMINAL = 60, 110, 100
_REFRESH_S = 0.1


class Screen(ABC):
    """Shows things and gives the lines that somebody writes."""

    live = False
    """Whether a person types: then nothing waits for Lucas before the next line."""
    shows_status = False
    """Whether the line about this moment is on the screen all the time."""

    @abstractmethod
    def show(self, *things: RenderableType | str) -> None:
        """Prints one below the other."""

    async def ask(self, question: str, *, default: str) -> str | None:  # noqa: ARG002
        """One answer before the talk begins; the default when nobody is there to answer.

        None: the person would rather leave.
        """
        return default

    @abstractmethod
    def lines(self, status: Callable[[], str]) -> AsyncIterator[str]:
        """What is written, until the end of input. `status` is a line about this moment."""


class Plain(Screen):
    """No terminal: what is shown goes to stdout, lines come from a file or a pipe."""

    def __init__(self, source: TextIO | None = None) -> None:
        self._source = source if source is not None else sys.stdin
        self._console = plain_console()

    def show(self, *things: RenderableType | str) -> None:
        for thing in things:
            # A line of text stays one line, for whoever reads it with a program.
            whole = isinstance(thing, str)
            self._console.print(thing, highlight=False, markup=False, soft_wrap=whole)

    async def lines(self, status: Callable[[], str]) -> AsyncIterator[str]:  # noqa: ARG002
        read: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        # A thread that nobody waits for: with Ctrl-C it may hang in a pipe that never ends.
        threading.Thread(target=_hand_over, args=(self._source, loop, read), daemon=True).start()
        while line := await read.get():
            yield line.strip()


class Terminal(Screen):
    """A person at a terminal."""

    live = True

    def __init__(self) -> None:
        self.shows_status = not _is_dumb()
        self._prompting = False
        self._session: PromptSession[str] = PromptSession(
            erase_when_done=True,  # what was typed is shown again as a bubble
            completer=WordCompleter([name for name, _ in COMMANDS], sentence=True),
            complete_while_typing=False,
        )

    def show(self, *things: RenderableType | str) -> None:
        width = min(self._session.output.get_size().columns, _WIDEST)
        console = Console(
            force_terminal=True, width=max(width, _NARROWEST), legacy_windows=False,
            no_color=_is_dumb() or None, color_system=None if _is_dumb() else "auto",
        )  # fmt: skip
        with console.capture() as printed:
            if self._prompting and not self.shows_status:
                console.print()  # the cursor stands behind the prompt and cannot go back
            for thing in things:
                console.print(thing, highlight=False, markup=False)
        print_formatted_text(ANSI(printed.get()), end="")

    async def ask(self, question: str, *, default: str) -> str | None:
        try:
            answer = await self._session.prompt_async(f"{question} [{default}] › ")
        except (EOFError, KeyboardInterrupt):
            return None
        return answer.strip() or default

    async def lines(self, status: Callable[[], str]) -> AsyncIterator[str]:
        with patch_stdout(raw=True):
            while True:
                self._prompting = True
                try:
                    line = await self._session.prompt_async(
                        ANSI("\x1b[32mvocê ›\x1b[0m "),
                        bottom_toolbar=None if _is_dumb() else status,
                        refresh_interval=_REFRESH_S,
                    )
                except (EOFError, KeyboardInterrupt):
                    return
                finally:
                    self._prompting = False
                yield line.strip()


def _hand_over(source: TextIO, loop: asyncio.AbstractEventLoop, read: asyncio.Queue[str]) -> None:
    """All lines, then an empty text for the end."""
    with suppress(RuntimeError):  # the loop was closed meanwhile
        while line := source.readline():
            loop.call_soon_threadsafe(read.put_nowait, line)
        loop.call_soon_threadsafe(read.put_nowait, "")


def plain_console() -> Console:
    """stdout as it is: in colour on a terminal, and never wider than reads well."""
    if sys.stdout.isatty():
        console = Console()
        console.width = max(min(console.width, _WIDEST), _NARROWEST)
        return console
    return Console(width=_WITHOUT_TERMINAL)


def has_terminal() -> bool:
    """Whether a person can type here and see."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "dumb") in ("dumb", "unknown")

"""Says what is being started and how long each step took. Used by `dev.chat.installation`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dev.chat.view import seconds

Say = Callable[[str], None]


class Steps:
    """A line for each step once it is done; `say` prints it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._started = time.monotonic()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Nothing is said of a step that fails: its error says it."""
        started = time.monotonic()
        yield
        self._say(f"  ✓ {what:<58} {seconds(time.monotonic() - started):>8}")

    def total(self) -> str:
        """Since the first step, for people."""
        return seconds(time.monotonic() - self._started)

"""What a look at a channel found, for people. Made by the adapters' `diagnose`.

Findings never hold a secret: they are printed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    ok: bool | None
    """None: it could not be looked at."""
    what: str
    """What is so, in one sentence."""
    do: str | None = None
    """What a person should do about it; None when there is nothing to do."""

    def __post_init__(self) -> None:
        if not self.ok and not self.do:
            raise ValueError("what is not good needs something to do")


def good(what: str) -> Finding:
    """As it should be."""
    return Finding(ok=True, what=what)


def wrong(what: str, do: str) -> Finding:
    """Not as it should be, and what to do."""
    return Finding(ok=False, what=what, do=do)


def unseen(what: str, do: str) -> Finding:
    """Not looked at, and what lets it be looked at."""
    return Finding(ok=None, what=what, do=do)

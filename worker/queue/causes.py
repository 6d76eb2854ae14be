"""Names the cause of a failure so that equal failures have equal names. Used by the dead letters.

A cause is shown in lists, so it holds nothing of what was refused: no number, no id, no quoted
value; and of an error that is not ours, whose text may hold anything, only where it was raised.
"""

from __future__ import annotations

import re
import traceback

from schema import errors
from schema.errors import HelixError, SendRefused

LATE = "more than 24 h late"
NOT_DELIVERED = "taken by the gateway, not delivered"

_LONGEST = 160
_ROOMS = frozenset({"schema", "tenancy", "gateway", "bot", "worker"})
_CLASS = re.compile(r"([A-Z]\w*): ")
# A quote within a word is an apostrophe. One that never ends hides all that follows it.
_QUOTED = re.compile(r"""(?<!\w)(['"`]).*?(?:\1|\Z)""", re.DOTALL)
_CODE = re.compile(r"\(\d{1,6}\)[,.;:]?")
_HIDDEN = "…"


def cause_of(error: Exception) -> str:
    """The cause of an error that was caught."""
    name = type(error).__name__
    if isinstance(error, SendRefused) and error.code is not None:
        return f"{name} {error.code}"  # its text is the gateway's: the code says it all
    if isinstance(error, HelixError):
        return cause_in(f"{name}: {error}")
    return f"{name} in {_place(error)}"


def cause_in(text: str) -> str:
    """The cause in a text of ours, or in `Class: text` of a dead letter that names no cause."""
    found = _CLASS.match(text)
    if found and not hasattr(errors, found[1]):
        return found[1]
    words = _QUOTED.sub(_HIDDEN, text).split()
    return " ".join(_shown(word) for word in words)[:_LONGEST] or "unknown"


def _shown(word: str) -> str:
    if _CODE.fullmatch(word):
        return word  # the number of a kind of error, not of a thing
    if any(char.isdigit() for char in word) or "@" in word or "://" in word:
        return _HIDDEN
    return word


def _place(error: Exception) -> str:
    """The innermost function of ours that it passed through."""
    frames = [
        (str(frame.f_globals.get("__name__", "")), frame.f_code.co_name)
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    ours = [place for place in frames if place[0].partition(".")[0] in _ROOMS]
    return ".".join((ours or frames or [("", "nowhere")])[-1]).lstrip(".")

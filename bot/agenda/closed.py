"""The days on which a store stays closed: national and state holidays, and the dealer's own.

Called by `agenda.hours`. The holidays come from the library `holidays` (python-holidays), which
follows the federal and state laws, Easter included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

import holidays

_DATE = re.compile(
    r"(?<!\d)(\d{1,2})/(\d{1,2})(?:/(\d{4}))?(?!\d)|(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)"
)
_STATE = re.compile(r"[-/,(]\s*([A-Z]{2})\b\)?(?=\s*(?:$|[,.-]|\d{5}))")
STATES: tuple[str, ...] = tuple(holidays.country_holidays("BR").subdivisions)
"""The states whose holidays are known."""


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """What keeps a store closed besides its week."""

    uf: str | None = None
    """The state, for its own holidays; None: the national ones only."""
    own: frozenset[tuple[int | None, int, int]] = frozenset()
    """The dealer's own days as (year or None for every year, month, day)."""
    open_on: frozenset[tuple[int | None, int, int]] = frozenset()
    """Holidays on which this dealer works as on any day of the week."""

    def by_the_store(self, day: date) -> bool:
        """True on a day that the dealer himself named as closed."""
        return bool({(day.year, day.month, day.day), (None, day.month, day.day)} & self.own)

    def holiday(self, day: date) -> str | None:
        """The name of the holiday in Portuguese, unless the dealer works on it."""
        if {(day.year, day.month, day.day), (None, day.month, day.day)} & self.open_on:
            return None
        name = _calendar(self.uf).get(day)
        return None if name is None else name.split("; ")[0]


@cache
def _calendar(uf: str | None) -> holidays.HolidayBase:
    known = uf if uf in STATES else None
    return holidays.country_holidays("BR", subdiv=known, language="pt_BR")


def dates(text: str | None) -> frozenset[tuple[int | None, int, int]]:
    """All dates in a setting: `24/12, 31/12/2026, 2026-07-09`. Without a year: every year."""
    found = set()
    for match in _DATE.finditer(text or ""):
        day, month, year = match[1] or match[6], match[2] or match[5], match[3] or match[4]
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
            found.add((int(year) if year else None, int(month), int(day)))
    return frozenset(found)


def state_of(address: str | None) -> str | None:
    """The two letters of the state at an address's end: `..., Juiz de Fora - MG`."""
    found = _STATE.findall(address or "")
    return found[-1] if found else None

"""Decides who is migrated when, and when a run must stop. Called by `tenancy.fleet.run`. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from schema.errors import HelixError, MigrationChanged
from tenancy.empresas import EmpresaRow
from tenancy.fleet.values import Outcome, Wave

_FIRST_SHARE, _FIRST_AT_LEAST = 0.01, 5
_TENTH_SHARE = 0.10
_MOST_SHARE, _MOST_AT_LEAST = 0.01, 2
_SAME_IN_A_ROW = 3
_NUMBER = re.compile(r"\d+")


def waves(rows: Sequence[EmpresaRow]) -> dict[int, Wave]:
    """The wave of each dealer, by id, in the order in which they are to be taken.

    Hosts are taken alternately, so that an early wave has seen all of them.
    """
    canaries = [row for row in rows if row.canary]
    others = alternately(row for row in rows if not row.canary)
    first = max(_FIRST_AT_LEAST, round(len(others) * _FIRST_SHARE))
    tenth = first + round(len(others) * _TENTH_SHARE)
    found = {row.id: Wave.CANARY for row in alternately(canaries)}
    for place, row in enumerate(others):
        found[row.id] = Wave.FIRST if place < first else Wave.TENTH if place < tenth else Wave.REST
    return found


def alternately(rows: Iterable[EmpresaRow]) -> list[EmpresaRow]:
    """One of each host, then the next of each."""
    hosts: dict[tuple[str, int], list[EmpresaRow]] = {}
    for row in rows:
        hosts.setdefault(address_of(row), []).append(row)
    rounds = zip_longest(*hosts.values())
    return [row for one_round in rounds for row in one_round if row is not None]


def address_of(row: EmpresaRow) -> tuple[str, int]:
    """The server of a dealer's database; a row without a place has none."""
    return ("", 0) if row.place is None else (row.place.host, row.place.port)


@dataclass(slots=True)
class Brake:
    """Watches one wave. A host that is away is not the migration's fault and does not count."""

    wave: Wave
    size: int
    _failed: int = 0
    _last: deque[str] = field(default_factory=lambda: deque(maxlen=_SAME_IN_A_ROW))

    def note(self, outcome: Outcome) -> str | None:
        """Why the run must stop after this outcome; None to go on."""
        error = outcome.error
        if error is None:
            self._last.clear()
            return None
        if isinstance(error, MigrationChanged):
            return str(error)
        if outcome.is_away:
            return None
        self._failed += 1
        self._last.append(_kind_of(error))
        if self.wave is Wave.CANARY:
            return f"a canary failed: {error}"
        if len(self._last) == _SAME_IN_A_ROW and len(set(self._last)) == 1:
            return f"the same error {_SAME_IN_A_ROW} times in a row: {error}"
        if self._failed >= _MOST_AT_LEAST and self._failed > self.size * _MOST_SHARE:
            return f"{self._failed} of {self.size} failed in the wave {self.wave}: {error}"
        return None


def _kind_of(error: HelixError) -> str:
    """Errors differ by the dealers and the numbers that they name."""
    return f"{type(error).__name__}: {_NUMBER.sub('#', str(error))}"

"""Remembers which servers do not answer, for one run. Used by `tenancy.fleet.run`.

A server that drops packets costs a time limit for each try: three tries tell enough.
"""

from __future__ import annotations

from collections import Counter

from schema.errors import HelixError, TenantUnavailable
from tenancy.faults import Trouble, trouble_of

_TRIES = 3
_AWAY = frozenset({Trouble.SERVER, Trouble.FULL})

Address = tuple[str, int]


class Hosts:
    """A run's own view: pools and breakers belong to other processes."""

    def __init__(self) -> None:
        self._failures: Counter[Address] = Counter()

    def refuse_dead(self, address: Address, empresa_id: int) -> None:
        """Raises TenantUnavailable for a dealer on a server that is left alone."""
        if self._failures[address] >= _TRIES:
            raise TenantUnavailable(
                empresa_id, reason=f"its server {address[0]}:{address[1]} did not answer others"
            )

    def note(self, address: Address, error: HelixError | None) -> None:
        """What came of a try there."""
        if error is not None and trouble_of(error) in _AWAY:
            self._failures[address] += 1
        elif self._failures[address] < _TRIES:
            self._failures[address] = 0

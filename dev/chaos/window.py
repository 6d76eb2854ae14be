"""The documented window in which a reply may go out twice, as times of this run. See docs/chaos.md.

Made by `run` from the faults that struck; asked by `count`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dev.chaos.books import Copy
from dev.chaos.plan import How, Whom
from dev.chaos.strike import Struck

_RECORDS_S = 2.0
"""A send that nothing disturbs is recorded in milliseconds; under this load, within this."""
_TRIES_S = 10.0
"""So long a worker tries to record a send while the database is away."""
_WAKES_S = 2.0
"""What a frozen worker had begun goes out when it wakes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Of one empresa."""

    deaths: Sequence[float]
    """When workers were killed or frozen."""
    wakings: Sequence[float]
    """When frozen workers went on."""
    outages: Sequence[tuple[float, float]]
    """When the empresa's database was out of reach."""

    @classmethod
    def of(cls, struck: Iterable[Struck], empresa_id: int) -> Windows:
        """From what struck."""
        deaths: list[float] = []
        wakings: list[float] = []
        outages: list[tuple[float, float]] = []
        for fault in struck:
            whom, how = fault.kind
            if empresa_id not in fault.empresas:
                continue
            if whom is Whom.WORKER and how in (How.KILL, How.FREEZE):
                deaths.append(fault.since)
            if whom is Whom.WORKER and how is How.FREEZE:
                wakings.append(fault.until)
            if whom in (Whom.MARIADB, Whom.TO_HOST) and how is not How.SLOW:
                outages.append((fault.since, fault.until))
        return cls(deaths=deaths, wakings=wakings, outages=outages)

    def allowed(self, copies: Sequence[Copy]) -> int:
        """How many of a reply's copies beyond the first are in the window."""
        return sum(self._may_repeat(one) or self._woke(other) for one, other in pairwise(copies))

    def _may_repeat(self, copy: Copy) -> bool:
        """Whether nobody may have come to know that this copy went out."""
        return (
            copy.unheard
            or any(copy.at - 1 <= death <= copy.at + _RECORDS_S for death in self.deaths)
            or any(since <= copy.at + _TRIES_S and copy.at <= until
                   for since, until in self.outages)
        )  # fmt: skip

    def _woke(self, copy: Copy) -> bool:
        return any(waking <= copy.at <= waking + _WAKES_S for waking in self.wakings)

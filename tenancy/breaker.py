"""Leaves alone what has just failed, and finds out when it works again. Used by `tenancy.hosts`
(one per database server) and `tenancy.pool` (one per empresa).

Closed: everyone may try. Open: nobody, until a time that is known. Then one try, the probe,
decides.
Knows no databases and no tasks; the clock is handed in.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import Enum

_PROBING_S = 1.0
"""Who comes while the probe is out looks again after this: its answer is near, but not known."""
_MOST_RESULTS = 1024
_LOSSES_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to open, and for how long: `first_s`, then doubling up to `longest_s`."""

    in_a_row: int
    first_s: float
    longest_s: float
    window_s: float = 10
    window_tries: int = 10
    """So many tries within `window_s`, half of them failed, open as well."""


SERVER = Policy(in_a_row=3, first_s=1, longest_s=30)
EMPRESA = Policy(in_a_row=1, first_s=30, longest_s=300)


class State(Enum):
    """Shown in figures."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Pass:
    """Leave to try once. What became of it is told to the breaker that gave it; when that has
    opened or closed meanwhile, the pass is out of date and what it tells is ignored."""

    __slots__ = ("is_probe",)

    def __init__(self, *, is_probe: bool = False) -> None:
        self.is_probe = is_probe


class Breaker:
    """`admit`, then one of `succeeded`, `failed`, `gave_up`. Nothing here waits."""

    __slots__ = (
        "_clock",
        "_failures",
        "_free",
        "_losses",
        "_open_until",
        "_openings",
        "_policy",
        "_probe",
        "_results",
        "_spread",
    )

    def __init__(
        self,
        policy: Policy,
        *,
        clock: Callable[[], float],
        spread: Callable[[], float] = lambda: random.uniform(0.8, 1.2),
    ) -> None:
        """`spread` is what each open time is multiplied by, so that processes do not come back
        in step; never above `longest_s`."""
        self._policy = policy
        self._clock = clock
        self._spread = spread
        self._free = Pass()
        self._open_until: float | None = None
        self._probe: Pass | None = None
        self._openings = 0
        self._failures = 0
        self._results: deque[tuple[float, bool]] | None = None
        """From the first try on: an empty one takes 760 bytes, for each dealer known."""
        self._losses: dict[Hashable, float] = {}

    @property
    def state(self) -> State:
        """An open breaker stays open until someone is admitted as its probe."""
        if self._open_until is None:
            return State.CLOSED
        return State.OPEN if self._probe is None else State.PROBING

    @property
    def retry_after_s(self) -> float:
        """How long until the next try may be made; 0 when one may be made now."""
        if self._open_until is None:
            return 0.0
        if self._probe is not None:
            return _PROBING_S
        return max(0.0, self._open_until - self._clock())

    def admit(self) -> Pass | None:
        """Leave to try, None while open. After the open time one caller is given the probe."""
        if self._open_until is None:
            return self._free
        if self._probe is not None or self._clock() < self._open_until:
            return None
        self._probe = Pass(is_probe=True)
        return self._probe

    def honours(self, given: Pass) -> bool:
        """Whether someone admitted a while ago may still try."""
        return self._open_until is None or given is self._probe

    def succeeded(self, given: Pass) -> bool:
        """The other side answered. True when this closed the breaker."""
        if given is self._probe:
            self._close()
            return True
        if given is self._free and self._open_until is None:
            self._failures = 0
            self._note(good=True)
        return False

    def failed(self, given: Pass) -> bool:
        """It did not. True when this opened the breaker (again)."""
        if given is not self._probe:
            if given is not self._free or self._open_until is not None:
                return False
            self._failures += 1
            self._note(good=False)
            if not self._is_enough():
                return False
        self.trip()
        return True

    def gave_up(self, given: Pass) -> None:
        """The try ended without an answer (it was cancelled): the next one may be the probe."""
        if given is self._probe:
            self._probe = None

    def lost(self, owner: Hashable) -> bool:
        """A connection of `owner` broke in mid-work. One may have been killed by hand, even all of
        one owner; those of two owners within seconds count as a failure. True when it opened."""
        now = self._clock()
        recent = {who: at for who, at in self._losses.items() if now - at <= _LOSSES_S}
        self._losses = {**recent, owner: now}
        if len(self._losses) < 2:
            return False
        return self._open_until is None and self.failed(self._free)

    def trip(self) -> None:
        """Opens at once, longer each time in a row."""
        self._openings += 1
        policy = self._policy
        doubled_s = policy.first_s * 2.0 ** min(self._openings - 1, 30)
        open_s = min(policy.longest_s, min(policy.longest_s, doubled_s) * self._spread())
        self._open_until = self._clock() + open_s
        self._probe = None

    def _close(self) -> None:
        self._open_until = self._probe = None
        self._losses = {}
        self._openings = self._failures = 0
        self._results = None
        self._free = Pass()

    def _note(self, *, good: bool) -> None:
        if self._results is None:
            self._results = deque(maxlen=_MOST_RESULTS)
        self._results.append((self._clock(), good))

    def _is_enough(self) -> bool:
        policy, since = self._policy, self._clock() - self._policy.window_s
        results = self._results or deque()
        while results and results[0][0] < since:
            results.popleft()
        bad = sum(not good for _, good in results)
        return self._failures >= policy.in_a_row or (
            len(results) >= policy.window_tries and 2 * bad >= len(results)
        )

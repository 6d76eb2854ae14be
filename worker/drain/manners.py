"""How much a drain with a long backlog takes at once while others have work. Called by `job`.

All drains of a process share one event loop. A backlog's big batches are fast when nobody else
waits; beside others each keeps them waiting for as long as it computes. So while others come and
go it takes small ones, and rests after each for as long as that took and more.
"""

from __future__ import annotations

from collections.abc import Callable

_SMALLER = 64
"""A batch beside others is so many times smaller."""
_LIGHT_COUNTS_S = 1.0
"""Somebody who had little to do was here so recently: he, or his like, comes again."""
_REST = 2.0
_LONGEST_REST_S = 0.25


class Manners:
    """What goes on in this process. One per process."""

    def __init__(self, *, batch: int, clock: Callable[[], float]) -> None:
        self._batch = batch
        self._clock = clock
        self._light_at: dict[int, float] = {}

    def most(self, empresa_id: int) -> int:
        """How many events to read next; who finds as many has a backlog."""
        if self._others_are_light(empresa_id):
            return max(1, self._batch // _SMALLER)
        return self._batch

    def note(self, empresa_id: int, *, events: int, has_backlog: bool) -> None:
        """After each pass."""
        if has_backlog:
            self._light_at.pop(empresa_id, None)
        elif events:
            self._light_at[empresa_id] = self._clock()

    def rest_s(self, empresa_id: int, pass_s: float) -> float:
        """How long a backlog leaves the others alone after a pass that took so long."""
        return min(_LONGEST_REST_S, pass_s * _REST) if self._others_are_light(empresa_id) else 0.0

    def _others_are_light(self, empresa_id: int) -> bool:
        """Not those that have backlogs themselves: they would all only be slower."""
        since = self._clock() - _LIGHT_COUNTS_S
        self._light_at = {id_: at for id_, at in self._light_at.items() if at > since}
        return any(id_ != empresa_id for id_ in self._light_at)

"""How many connections a pool may have, for one user of one server. Used by `tenancy.pool`.

The server may allow fewer than our own setting (MAX_USER_CONNECTIONS, shared with other processes).
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

log = structlog.get_logger()

_LIMITED_FOR_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How many, and for how long."""

    size: int = 4
    acquire_s: float = 5
    idle_s: float = 60


class Ceiling:
    """Our own limit; for a while after the server refused one more, what we have."""

    __slots__ = ("_empresa_id", "_limited_to", "_limited_until", "_size")

    def __init__(self, size: int, empresa_id: int | None) -> None:
        self._size = size
        self._empresa_id = empresa_id
        self._limited_to, self._limited_until = size, 0.0

    def at(self, now: float) -> int:
        """Most connections at the moment."""
        return self._size if now >= self._limited_until else self._limited_to

    def lower(self, to: int, now: float, *, reason: str) -> None:
        """The server refused: each try for more would be another login in vain."""
        if now >= self._limited_until:
            log.info("server limits this user", empresa_id=self._empresa_id, reason=reason)
        self._limited_to = max(1, to)
        self._limited_until = now + _LIMITED_FOR_S

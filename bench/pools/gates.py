"""What the pools must come to on a machine with two processors. Called by `.run` and `.report`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.pools.ground import PoolGround
from bench.pools.measure import COLD, CYCLE, Figure
from bench.pools.memory import CONNECTED, KNOWN, Memory
from bench.pools.ways import HELIX

_CYCLE_US = 4.0
_COLD_MS = 4.0
_CONNECT_S = 0.6
_CONNECTED = 1000
_KNOWN_MB = 30.0
_KNOWN = 10_000
_PROVISION_MS = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """An aim, and what was measured."""

    name: str
    limit: float
    measured: float
    unit: str
    scaled_from: int | None = None
    """So many dealers were measured, and the figure multiplied."""

    @property
    def met(self) -> bool:
        """Whether the aim is reached."""
        return self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """In words, with the distance."""
        if self.measured == self.limit:
            return "met"
        percent = 100 * abs(self.measured / self.limit - 1)
        distance = f"{percent:.{0 if percent >= 10 else 1}f} %"
        return f"met, {distance} below" if self.met else f"missed by {distance}"


def gates(
    ground: PoolGround, figures: Sequence[Figure], memory: Sequence[Memory]
) -> Iterator[Gate]:
    """Those that belong to the pools, and the opening of a dealer, which every run does anyway."""
    ours = {figure.name: figure.value for figure in figures if figure.way == HELIX}
    yield Gate(name=CYCLE, limit=_CYCLE_US, measured=ours[CYCLE], unit="µs")
    yield Gate(name=COLD, limit=_COLD_MS, measured=ours[COLD], unit="ms")
    for one in memory:
        if one.way != HELIX:
            continue
        if one.what == CONNECTED:
            yield _scaled(
                f"{_CONNECTED} dealers connected, time", _CONNECT_S, one.seconds, "s",
                one.count, _CONNECTED,
            )  # fmt: skip
        if one.what == KNOWN:
            yield _scaled(
                f"{_KNOWN} dealers known, memory", _KNOWN_MB, one.rss_mb, "MB", one.count, _KNOWN
            )
    provision_ms = round(1000 * ground.provision_s, 1)
    yield Gate(name="new dealer, p50", limit=_PROVISION_MS, measured=provision_ms, unit="ms")


def _scaled(name: str, limit: float, value: float, unit: str, count: int, full: int) -> Gate:
    # One dealer of the thousand was used before, so that what he brings with him is not counted.
    whole = count >= full - 1
    return Gate(
        name=name,
        limit=limit,
        measured=round(value * full / count, 3),
        unit=unit,
        scaled_from=None if whole else count,
    )

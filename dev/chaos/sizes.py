"""How large a run is, and what its processes are told. Read by `ground`, `plan` and `run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One size of a run. Times in seconds."""

    empresas: int
    workers: int
    webs: int
    hosts: int
    """Database addresses that the empresas are spread over: each can be cut off by itself."""
    talks: int
    """Buyers of one empresa who write at the same time."""
    lease_s: float
    send_timeout_s: float
    gap_s: tuple[float, float]
    """Between the beginnings of two faults."""
    calm_every: int
    """After so many faults there is none for `calm_s`, so that recoveries can be seen."""
    calm_s: float
    settle_s: float
    """When all faults have ended, everything must be answered within this."""
    environment: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """For the processes, beside addresses and secrets."""
        return {
            "WORKER_LEASE_S": f"{self.lease_s:g}",
            "GATEWAY_SEND_TIMEOUT_S": f"{self.send_timeout_s:g}",
            # Bursts are one turn here, too; only shorter, so that more of them fit into a run.
            "LUCAS_QUIET_COMPLETE_S": "0.3",
            "LUCAS_QUIET_FRAGMENT_S": "0.3",
            "LUCAS_QUIET_GREETING_S": "0.3",
            "WORKER_POLL_DELAY_S": "0.03",
            **self.environment,
        }


FULL = Shape(
    empresas=20,
    workers=4,
    webs=2,
    hosts=4,
    talks=2,
    lease_s=8,
    send_timeout_s=10,
    gap_s=(0.5, 4.5),
    calm_every=8,
    calm_s=12,
    settle_s=180,
)
"""The product's own settings, apart from the quiet window."""

QUICK = Shape(
    empresas=20,
    workers=4,
    webs=2,
    hosts=4,
    talks=1,
    lease_s=2,
    send_timeout_s=3,
    gap_s=(0.3, 2.0),
    calm_every=6,
    calm_s=4,
    settle_s=90,
    environment={"WORKER_UNKNOWN_WAIT_S": "4"},
)
"""For the tests: the same processes, shorter leases and waits, so that much happens in 30 s."""

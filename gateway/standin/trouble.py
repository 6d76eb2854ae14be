"""Makes a stand-in as unreliable as the real thing, from a seed. Called by `base`.

Webhooks come twice and late; sends fail, lose their answer or are cut off. Whatever strikes is
counted, so that a test can say what it allows.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from gateway.standin.values import CutOff, Fault, LostAnswer, Outgoing, Refusal

_BUSY = Refusal(status=503, body={})


@dataclass(slots=True, kw_only=True)
class Trouble:
    """Shares from 0 to 1. A message of ours is struck once at most: its repetition gets through."""

    seed: int
    repeated: float = 0.0
    """Webhooks that come twice."""
    late: float = 0.0
    """Webhooks that others overtake ..."""
    late_s: float = 0.3
    """... by up to so many seconds."""
    failed: float = 0.0
    """Sends that are answered 503."""
    lost: float = 0.0
    """Sends that reach the phone, and we are not told."""
    cut: float = 0.0
    """Sends whose connection breaks before the message is read."""
    counts: Counter[str] = field(default_factory=Counter)
    """What has struck: repeated, late, failed, lost, cut."""
    _dice: random.Random = field(init=False)
    _struck: set[tuple[str, str | None, str | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def copies(self) -> int:
        """How often a webhook comes: once or twice."""
        return 2 if self._strikes("repeated", self.repeated) else 1

    def delay_s(self) -> float:
        """How much later than it should a webhook comes."""
        return self._dice.uniform(0, self.late_s) if self._strikes("late", self.late) else 0.0

    def of_send(self, sent: Outgoing) -> Fault | None:
        """What happens to a message of ours that is in order by itself."""
        key = (sent.to, sent.text, sent.media)
        if key in self._struck:
            return None
        faults: tuple[tuple[str, float, Fault], ...] = (
            ("failed", self.failed, _BUSY),
            ("lost", self.lost, LostAnswer()),
            ("cut", self.cut, CutOff()),
        )
        for name, share, fault in faults:
            if self._strikes(name, share):
                self._struck.add(key)
                return fault
        return None

    def _strikes(self, name: str, share: float) -> bool:
        struck = self._dice.random() < share
        self.counts[name] += struck
        return struck

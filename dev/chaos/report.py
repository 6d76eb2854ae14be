"""What a run found, as counts. Made by `count` and `run`; the last line of `make chaos`."""

from __future__ import annotations

from dataclasses import dataclass, fields

import orjson


@dataclass(slots=True)
class Report:
    """See docs/chaos.md for what each of them is."""

    accepted: int = 0
    stored: int = 0
    lost: int = 0
    doubled_rows: int = 0
    out_of_order: int = 0
    foreign: int = 0
    turns_expected: int = 0
    turns_answered: int = 0
    sends_doubled: int = 0
    sends_doubled_allowed: int = 0
    failed_replies: int = 0
    recovery_p99_s: float = 0.0
    waited_p99_s: float = 0.0
    written: int = 0
    faults: int = 0
    surprises: int = 0
    deaf: int = 0
    settled_s: float = 0.0
    seed: int = 0

    def add(self, other: Report) -> None:
        """The counts of one more empresa."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def wrong(self) -> list[str]:
        """What must not be, in words; nothing when all is well."""
        found = [
            f"{name}: {getattr(self, name)}"
            for name in ("lost", "doubled_rows", "out_of_order", "foreign", "failed_replies",
                         "surprises", "deaf")
            if getattr(self, name)
        ]  # fmt: skip
        if self.accepted < self.written:
            found.append(f"never accepted: {self.written - self.accepted}")
        if self.turns_answered < self.turns_expected:
            found.append(f"turns without an answer: {self.turns_expected - self.turns_answered}")
        if self.sends_doubled > self.sends_doubled_allowed:
            found.append(f"sends doubled: {self.sends_doubled}, allowed:"
                         f" {self.sends_doubled_allowed}")  # fmt: skip
        if not self.written:
            found.append("nobody wrote anything")
        return found

    def as_json(self) -> str:
        """One line."""
        return orjson.dumps(self).decode()

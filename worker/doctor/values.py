"""What a look finds. Made by the modules of this folder, shown by `helix doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad it is; also the exit code of `helix doctor`."""

    OK = 0
    WARNING = 1
    """It will hurt one day."""
    RED = 2
    """It hurts a dealer now, or his data are in danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. Holds no secret and nothing of a buyer: it is printed."""

    level: Level
    kind: str
    """The same for the same trouble of another subject."""
    subject: str
    """empresa 7, channel 3, db1:3306, redis, a setting's name."""
    what: str
    why: str
    """Why it matters."""
    mend: str
    """The command, or what a person does where no command can."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, the worst first."""

    findings: Sequence[Finding]
    dealers: int = 0
    """Databases that were looked into."""

    @property
    def level(self) -> Level:
        """That of the worst."""
        return max((one.level for one in self.findings), default=Level.OK)


def red(kind: str, subject: str, what: str, *, why: str, mend: str) -> Finding:
    """It hurts now."""
    return Finding(level=Level.RED, kind=kind, subject=subject, what=what, why=why, mend=mend)


def warning(kind: str, subject: str, what: str, *, why: str, mend: str) -> Finding:
    """It will."""
    return Finding(level=Level.WARNING, kind=kind, subject=subject, what=what, why=why, mend=mend)


def of_clock(subject: str, ahead_s: float) -> list[Finding]:
    """`ahead_s`: of this machine's clock, how far the subject's is ahead."""
    if abs(ahead_s) <= _SKEW_S:
        return []
    level = Level.RED if abs(ahead_s) > _BAD_SKEW_S else Level.WARNING
    return [
        Finding(
            level=level,
            kind="clock",
            subject=subject,
            what=f"its clock is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} "
            "this machine's",
            why="quiet windows, reminders and the 24-hour window go by several clocks",
            mend="let chrony or systemd-timesyncd keep the time on both machines",
        )
    ]


_SKEW_S, _BAD_SKEW_S = 1.0, 30.0

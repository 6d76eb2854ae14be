"""What a run found. Made by `dev.fuzz.run`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class Report:
    """Counts; the last four must be 0."""

    queries: int = 0
    cancelled: int = 0
    refused: int = 0
    """Uses that ended in an error, as they may while connections are killed."""
    suspended: int = 0
    """Uses of an empresa that was suspended, refused as they must be."""
    changes: int = 0
    """Passwords changed, databases moved, empresas suspended and resumed."""
    wrong_rows: int = 0
    """Rows of another empresa, and acknowledged rows that are not there."""
    hangs: int = 0
    leaked: int = 0
    """Connections on the server that no pool knows of."""
    invariant_failures: int = 0
    notes: list[str] = field(default_factory=list)
    """The first few failures in words."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.wrong_rows or self.hangs or self.leaked or self.invariant_failures)

    def note(self, text: str) -> None:
        """Keeps the first twenty."""
        if len(self.notes) < 20:
            self.notes.append(text)

    def as_json(self) -> str:
        """One line."""
        values = asdict(self)
        del values["notes"]
        return json.dumps(values)

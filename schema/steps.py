"""Reads the numbered migration files as versions made of single, guarded statements.

Used by `schema.migrator`. A file is `migrations/<kind>/<number>_<name>.sql`; each statement may be
preceded by one guard, `-- unless table T | column T.C | columns T | index T.I | nullable T.C |
length T.C N`, which names the state that makes the statement needless; `columns T` means all that
the statement adds. A file with a line `-- ahead` is for a later release: this one works without it.
One with a line `-- heavy` copies tables: canaries first, then few dealers at a time
(`tenancy.fleet.heavy`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


class Kind(StrEnum):
    """Which database a set of migrations is for: a folder below `migrations`."""

    CENTRAL = "central"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A state of the schema that makes a step needless."""

    what: str
    table: str
    name: str | None = None
    length: int | None = None


@cache
def _checksum(guard: Guard | None, sql: str) -> str:
    """Kept: a run over a thousand dealers compares each step with each of them."""
    return hashlib.sha256(f"{guard}\n{' '.join(sql.split())}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One statement. Numbers count from 1 within a version."""

    number: int
    sql: str
    guard: Guard | None

    @property
    def added_columns(self) -> frozenset[str]:
        """Names of the columns that an ALTER TABLE adds."""
        return frozenset(_ADDED.findall(self.sql))

    @property
    def checksum(self) -> str:
        """Of what the step does: neither comments nor layout count."""
        return _checksum(self.guard, self.sql)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One migration file."""

    number: int
    name: str
    steps: tuple[Step, ...]
    ahead: bool = False
    """Whether this release works without it too: it prepares the next one."""
    heavy: bool = False
    """Whether it copies tables, which are not written to meanwhile."""


_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_GUARD = re.compile(
    r"--\s+unless\s+(?:(?P<table>table|columns)\s+(\w+)"
    r"|(?P<member>column|index|nullable)\s+(\w+)\.(\w+)"
    r"|(?P<length>length)\s+(\w+)\.(\w+)\s+(\d+))\s*"
)
_AHEAD = re.compile(r"^--\s+ahead\s*$", re.MULTILINE)
_HEAVY = re.compile(r"^--\s+heavy\s*$", re.MULTILINE)
_ADDED = re.compile(r"\bADD COLUMN\s+(\w+)")
_TOKEN = re.compile(
    r"""--(?=\s)[^\n]*            # a comment, or a guard
      | /\*.*?\*/
      | '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `[^`]*`
      | ;
      | [^-/'"`;]+ | .            # anything else
    """,
    re.VERBOSE | re.DOTALL,
)


def parse_guard(comment: str) -> Guard | None:
    """The guard that a comment states; None for a comment for people.

    Raises ValueError for a comment that begins like a guard and is none.
    """
    if not re.match(r"--\s+unless\b", comment):
        return None
    match = _GUARD.fullmatch(comment)
    if match is None:
        raise ValueError(f"this guard is not understood: {comment!r}")
    parts = [part for part in match.groups() if part is not None]
    return Guard(
        what=parts[0],
        table=parts[1],
        name=parts[2] if len(parts) > 2 else None,
        length=int(parts[3]) if len(parts) > 3 else None,
    )


def split(text: str) -> tuple[Step, ...]:
    """The steps of a migration's text. A semicolon within quotes or comments ends nothing."""
    steps: list[Step] = []
    guard: Guard | None = None
    sql = ""
    for match in _TOKEN.finditer(text + "\n;"):
        piece = match.group()
        if piece.startswith(("--", "/*")) and len(piece) > 1:
            if not sql.strip():
                guard = parse_guard(piece) or guard
        elif piece != ";":
            sql += piece
        elif sql.strip():
            steps.append(Step(number=len(steps) + 1, sql=sql.strip(), guard=guard))
            sql, guard = "", None
    return tuple(steps)


def read_versions(folder: Traversable) -> tuple[Version, ...]:
    """All migrations of a folder in order. Raises ValueError when a number is missing or double."""
    found = [
        _version(match, entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if (match := _FILE.fullmatch(entry.name))
    ]
    versions = tuple(sorted(found, key=lambda version: version.number))
    if [version.number for version in versions] != list(range(1, len(versions) + 1)):
        raise ValueError(f"migrations of {folder} are not numbered 1, 2, 3, ...")
    return versions


def _version(name: re.Match[str], text: str) -> Version:
    return Version(
        number=int(name[1]),
        name=name[2],
        steps=split(text),
        ahead=_AHEAD.search(text) is not None,
        heavy=_HEAVY.search(text) is not None,
    )


def needed(given: Sequence[Version]) -> Version:
    """The last one that this release cannot do without. Raises ValueError if there is none."""
    try:
        return next(version for version in reversed(given) if not version.ahead)
    except StopIteration:
        raise ValueError("a release needs a version of the schema") from None


@cache
def versions(kind: Kind) -> tuple[Version, ...]:
    """The migrations that this release brings for a kind of database."""
    return read_versions(files("schema") / "migrations" / kind.value)

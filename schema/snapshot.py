"""The schema that all migrations of a dealer's database end in, as one file of CREATE TABLEs.

Used by `schema.migrator` for a database that is still empty: thousands of new dealers need not walk
the whole history. Written by `make snapshot`; a test holds the file against the migrations.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from schema.steps import Kind, Version, split, versions

LEDGER = "_migrations"
_FILE = "snapshot.sql"
_MADE_FROM = re.compile(r"-- Made from (\w{64})\.")
_HEAD = """\
-- The schema after all migrations of this folder, for new databases. Written by `make snapshot`.
-- Made from {digest}.
"""
_TABLES = """
    SELECT table_name FROM information_schema.tables
     WHERE table_schema = DATABASE() ORDER BY table_name
"""
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
_REFERENCES = re.compile(r"REFERENCES `(\w+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Statements that make all tables, in an order that their foreign keys allow."""

    statements: tuple[str, ...]
    digest: str
    """Of the migrations that they stand for."""

    def stands_for(self, given: Sequence[Version]) -> bool:
        """Whether a database made from it lacks none of these migrations."""
        return self.digest == digest_of(given)


class Reader(Protocol):
    """A connection that can read."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""


def digest_of(given: Sequence[Version]) -> str:
    """Changes with each step of each migration."""
    sums = [step.checksum for version in given for step in version.steps]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


@cache
def snapshot(kind: Kind) -> Snapshot | None:
    """What this release brings; None when there is none for that kind."""
    file = files("schema") / "migrations" / kind.value / _FILE
    if not file.is_file():
        return None
    text = file.read_text(encoding="utf-8")
    made_from = _MADE_FROM.search(text)
    digest = made_from[1] if made_from else ""
    return Snapshot(statements=tuple(step.sql for step in split(text)), digest=digest)


async def take(conn: Reader, kind: Kind) -> str:
    """The file's text, from a database that was migrated step by step."""
    names = [row[0] for row in await conn.fetch_all(_TABLES) if row[0] != LEDGER]
    made = {}
    for name in names:
        ((_, statement),) = await conn.fetch_all(f"SHOW CREATE TABLE `{name}`")
        made[name] = _COUNTER.sub("", statement)
    ordered: list[str] = []
    while made:
        free = [name for name, sql in made.items() if not (_needs(sql) - {name}) & made.keys()]
        ordered += [made.pop(name) for name in free]
    head = _HEAD.format(digest=digest_of(versions(kind)))
    return head + "".join(f"\n{statement};\n" for statement in ordered)


def _needs(statement: str) -> set[str]:
    return set(_REFERENCES.findall(statement))

"""Counts what passes in a dump: rows by table, bytes, SHA-256. Used by backups and their check."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator

_INSERT = re.compile(rb"INSERT INTO `((?:[^`]|``)+)` VALUES$")


class DumpCount:
    """Of one dump. Strings hold no line ends (the program writes them as \\n), so a line that
    begins with `(` after an INSERT is a row."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.bytes = 0
        self._sha256 = hashlib.sha256()
        self._table: str | None = None
        self._rest = b""

    @property
    def sha256(self) -> str:
        """In hex, of all that passed."""
        return self._sha256.hexdigest()

    async def over(self, dump: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same stream."""
        async for chunk in dump:
            self.take(chunk)
            yield chunk

    def take(self, chunk: bytes) -> None:
        """The next piece, cut anywhere."""
        self.bytes += len(chunk)
        self._sha256.update(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line)

    def _line(self, line: bytes) -> None:
        if line.startswith(b"("):
            if self._table is not None:
                self.rows[self._table] += 1
            return
        found = _INSERT.match(line)
        if found is None:
            if line.startswith(b"CREATE TABLE `"):
                self.rows.setdefault(_name(line[14:].rpartition(b"` (")[0]), 0)
            self._table = None
            return
        self._table = _name(found[1])
        self.rows.setdefault(self._table, 0)


def _name(quoted: bytes) -> str:
    return quoted.replace(b"``", b"`").decode()

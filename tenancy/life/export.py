"""Writes all that a dealer has into a folder, for himself. Used by `tenancy.life.delete`.

One SQL dump for another MariaDB, and a file of JSON lines per table for any other program. Nothing
of it is encrypted: whoever runs this takes care of the folder.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import orjson

from schema.errors import NotConfigured
from tenancy.empresas import Place
from tenancy.lease import Connection
from tenancy.life import server
from tenancy.life.ledger import Facts
from tenancy.life.programs import dumping
from tenancy.life.tools import Tools
from tenancy.names import quoted

_KEY = """
    SELECT column_name FROM information_schema.key_column_usage
     WHERE table_schema = DATABASE() AND table_name = %(table)s AND constraint_name = 'PRIMARY'
     ORDER BY ordinal_position
"""
_PAGE = 2000


class Exported(Facts):
    """The files, by name, with their SHA-256 in hex."""

    folder: str
    files: dict[str, str]
    rows: dict[str, int]


async def export(tools: Tools, empresa_id: int, place: Place, folder: Path) -> Exported:
    """Raises NotConfigured when the folder cannot be written, and what databases raise. Files of an
    earlier run are written anew."""
    try:
        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
        return await _export(tools, empresa_id, place, folder)
    except OSError as error:
        raise NotConfigured(empresa_id, f"cannot export to {folder}: {error.strerror}") from error


async def _export(tools: Tools, empresa_id: int, place: Place, folder: Path) -> Exported:
    target = tools.admin(place.host, place.port, place.database)
    files: dict[str, str] = {}
    rows: dict[str, int] = {}
    async with dumping(target, tools.limits, empresa_id=empresa_id) as dump:
        with _written(folder / "dump.sql", files) as write:
            async for chunk in dump:
                write(chunk)
    async with tools.as_admin(empresa_id, place.host, place.port, place.database) as conn:
        for table in await server.tables(conn, place.database):
            rows[table] = 0
            # A table's name may be anything, a file's may not.
            with _written(folder / f"{table.replace('/', '_')}.jsonl", files) as write:
                async for row in _rows(conn, table):
                    write(orjson.dumps(row, default=_plain, option=orjson.OPT_APPEND_NEWLINE))
                    rows[table] += 1
    tools.report(f"exported to {folder}")
    return Exported(folder=str(folder), files=files, rows=rows)


@contextmanager
def _written(path: Path, files: dict[str, str]) -> Iterator[Callable[[bytes], None]]:
    """A new file (0600); on disk, and known by its digest, once the block ends."""
    digest = hashlib.sha256()
    path.unlink(missing_ok=True)
    opened: BinaryIO
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:

        def write(data: bytes) -> None:
            digest.update(data)
            opened.write(data)

        yield write
        opened.flush()
        os.fsync(opened.fileno())
    files[path.name] = digest.hexdigest()


async def _rows(conn: Connection, table: str) -> AsyncIterator[dict[str, object]]:
    """In pages; by the key where it is one column, so that late pages cost no more than early."""
    key = [str(row[0]) for row in await conn.fetch_all(_KEY, {"table": table})]
    name, order = _literal(table), ", ".join(_literal(column) for column in key)
    sql = f"SELECT * FROM {name}" + (f" ORDER BY {order}" if order else "")  # noqa: S608 - quoted
    after: object = None
    offset = 0
    while True:
        if len(key) == 1 and offset:
            page = await conn.fetch_dicts(
                f"SELECT * FROM {name} WHERE {order} > %(after)s"  # noqa: S608 - quoted
                f" ORDER BY {order} LIMIT %(page)s",
                {"after": after, "page": _PAGE},
            )
        else:
            page = await conn.fetch_dicts(
                f"{sql} LIMIT %(page)s OFFSET %(offset)s", {"page": _PAGE, "offset": offset}
            )
        for row in page:
            yield row
        if len(page) < _PAGE:
            return
        offset += len(page)
        after = page[-1][key[0]] if key else None


def _literal(name: str) -> str:
    """Quoted, in a statement that has values."""
    return quoted(name).replace("%", "%%")


def _plain(value: object) -> object:
    """What JSON has no type for: exact numbers as text, bytes in base64."""
    if isinstance(value, Decimal | timedelta):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")

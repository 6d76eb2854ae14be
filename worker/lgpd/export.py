"""Writes all that a dealer has of a person into a folder or a zip. Called by `helix lgpd export`.

`dados.json` for machines (LGPD, art. 18, V), `leia.html` for the person, his files beside them.
Complete or not there: it is made beside its place and moved in the end.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from mimetypes import guess_extension
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import orjson

from schema.errors import Permanent
from tenancy.lease import Connection
from worker.lgpd.look import All
from worker.lgpd.page import page_of
from worker.lgpd.tables import read_rows
from worker.media.store import MediaStore

Row = Mapping[str, object]
_ONLY_OURS = 0o700


class PlaceTaken(Permanent):
    """There is something where the export is to go: name another place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Where it lies, and how much it is."""

    place: Path
    rows: int
    files: int
    missing_files: int
    """Named by rows, and not in the store any more."""


async def export(
    conn: Connection, store: MediaStore, found: All, place: Path, *, dealer: str, now: datetime
) -> Exported:
    """`place`: a new folder, or a new file whose name ends with .zip; readable for its owner alone.

    Raises PlaceTaken, StoreUnavailable, OSError, and the errors of the connection.
    """
    if await asyncio.to_thread(place.exists):
        raise PlaceTaken(f"{place} is there already")
    data = await _data(conn, found)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".lgpd-", dir=place.parent))
    try:
        names, missing = await _files(store, found, data["mensagens"], beside)
        told = {"empresa": dealer, "gerado_em": now.isoformat(timespec="seconds"), **data,
                "redis": _queued(found), "arquivos": names}  # fmt: skip
        (beside / "dados.json").write_bytes(
            orjson.dumps(told, option=orjson.OPT_INDENT_2, default=_plain)
        )
        (beside / "leia.html").write_text(page_of(dealer, data, _queued(found), names, now=now))
        await asyncio.to_thread(_put, beside, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    rows = sum(len(table) for table in data.values())
    return Exported(place=place, rows=rows, files=len(names), missing_files=missing)


async def _data(conn: Connection, found: All) -> dict[str, list[dict[str, object]]]:
    """All rows by table, the dealer's own columns too."""
    data: dict[str, list[dict[str, object]]] = {}
    for rows in found.rows.rows:
        data.setdefault(rows.table, []).extend(await read_rows(conn, rows) if rows.ids else [])
    return data


async def _files(
    store: MediaStore, found: All, messages: list[dict[str, object]], folder: Path
) -> tuple[dict[str, str], int]:
    """Name in `midia/` by key in the store."""
    types = {row["midia_onde"]: str(row["midia_tipo"] or "") for row in messages}
    wanted = sorted({*found.files, *found.person.files})
    names: dict[str, str] = {}
    for number, key in enumerate(wanted, 1):
        data = await store.get(key)
        if data is not None:
            names[key] = f"midia/{number}{guess_extension(types.get(key, '')) or ''}"
            (folder / "midia").mkdir(exist_ok=True)
            (folder / names[key]).write_bytes(data)
    return names, len(wanted) - len(names)


def _queued(found: All) -> list[dict[str, object]]:
    """What is not, or not any more, on its way into the database."""
    waiting = [{"onde": "fila de entrada", "evento": _event(e.raw)} for e in found.queued.waiting]
    dead = [
        {"onde": "não processado", "tipo": letter.kind.value, "motivo": letter.error,
         "evento": _event(letter.event or letter.body)}
        for letter in found.queued.letters
    ]  # fmt: skip
    replies = [
        {"onde": "resposta a enviar", "evento": _event(entry[1].get(b"reply"))}
        for _, entry in found.queued.replies
    ]
    return [*waiting, *dead, *replies]


def _event(raw: bytes | None) -> object:
    try:
        return None if raw is None else orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw.decode(errors="replace") if raw else None


def _put(folder: Path, place: Path) -> None:
    if place.suffix.lower() != ".zip":
        folder.chmod(_ONLY_OURS)
        folder.rename(place)
        return
    made = folder / ".zip"
    with os.fdopen(os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path != made and path.is_file():
                    archive.write(path, path.relative_to(folder))
        file.flush()
        os.fsync(file.fileno())
    made.rename(place)


def _plain(value: object) -> object:
    """What JSON has no form for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)

"""Knows what form a stock file has, by what is in it, and has it read. Called by `.run`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from worker.stock.books import read_book
from worker.stock.documents import read_json
from worker.stock.dump import read_sql
from worker.stock.reading import BadFile, Reading
from worker.stock.text import decoded, read_csv
from worker.stock.words import Words, our_words

MAX_MB = 30
MAX_BYTES = MAX_MB * 1_000_000
MAX_LINES = 20_000
_OLE, _ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_NO_STOCK = (
    (rb"%PDF-", "É um PDF: peça a planilha (.xlsx) ou o CSV de onde ele saiu."),
    (rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF", "É uma imagem: importe a planilha, não a foto dela."),
    (
        rb"(?i)\s*<(?:!doctype\s+html|html|table|meta|head|style|div)",
        (
            "É uma página HTML, mesmo que o nome diga .xls: abra no Excel e salve como .xlsx. "
            "Se veio de um endereço, ele pede senha ou mudou."
        ),
    ),
    (rb"(?i)\s*<(?:\?xml|[a-z])", "É um XML: exporte o estoque como CSV, XLSX ou JSON."),
    (
        rb"Rar!|7z\xbc\xaf|\x1f\x8b",
        "Está compactado: descompacte e importe o arquivo de dentro.",
    ),
)
"""What dealers send in place of a stock file, by how it begins."""
_SQL = re.compile(r"(?im)^\s*(?:insert|replace)\s+(?:ignore\s+)?into\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFile:
    """A file as it came, and what to call it."""

    name: str
    data: bytes


def read_file(path: Path) -> StockFile:
    """From the disk. Raises BadFile for one that is too large or cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(f"O arquivo tem mais de {MAX_MB} MB: deixe nele só o estoque.")
        return StockFile(name=path.name, data=path.read_bytes())
    except OSError as error:
        raise BadFile(f"{path.name} não pode ser lido: {error.strerror}.") from error


def read_stock(
    file: StockFile, words: Words | None = None, *, today: date | None = None
) -> Reading:
    """All lines, each as a car or refused. Raises BadFile where the file as a whole is none."""
    _refuse_what_is_none(file.data)
    year = (today or date.today()).year  # noqa: DTZ011 - a year's plausibility needs no zone
    reading = Reading(form=_form(file), words=words or our_words(), year=year)
    if reading.form == "planilha":
        read_book(file.data, reading)
    else:
        text = decoded(file.data)
        if reading.form == "texto":
            reading.form = (
                "json" if text.lstrip()[:1] in ("[", "{") else "sql" if _SQL.search(text) else "csv"
            )
        {"json": read_json, "sql": read_sql, "csv": read_csv}[reading.form](text, reading)
    found = len(reading.lines) + len(reading.refused)
    if not found:
        raise BadFile("Não há carros neste arquivo: só o cabeçalho, ou nada abaixo dele.")
    if found > MAX_LINES:
        raise BadFile(f"O arquivo tem {found} carros; o limite é {MAX_LINES}.")
    return reading


def _form(file: StockFile) -> str:
    if file.data.startswith((_OLE, _ZIP)):
        return "planilha"
    ending = Path(file.name).suffix.lower()
    return {".json": "json", ".sql": "sql", ".csv": "csv"}.get(ending, "texto")


def _refuse_what_is_none(data: bytes) -> None:
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise BadFile("O arquivo está vazio: exporte o estoque de novo.")
    if len(data) > MAX_BYTES:
        raise BadFile(f"O arquivo tem mais de {MAX_MB} MB: deixe nele só o estoque.")
    start = data[:200].removeprefix(b"\xef\xbb\xbf")
    for pattern, what in _NO_STOCK:
        if re.match(pattern, start):
            raise BadFile(what)
    if data.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in data:
        raise BadFile("A planilha tem senha: tire a senha no Excel e salve de novo.")

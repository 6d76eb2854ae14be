"""Makes workbooks and readings for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter

from worker.stock.files import StockFile, read_stock
from worker.stock.reading import Reading

TODAY = date(2026, 11, 24)


def book(
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    *,
    merged: Sequence[tuple[int, int, int, int, str]] = (),
    hidden: Sequence[str] = (),
) -> bytes:
    """An XLSX file. `merged`: first row, column, last row, column, text, in every sheet."""
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    day = workbook.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                else:
                    sheet.write(number, column, cell)
        for top, left, bottom, right, text in merged:
            sheet.merge_range(top, left, bottom, right, text)
        if name in hidden:
            sheet.hide()
    workbook.close()
    return out.getvalue()


def read(data: bytes | str, name: str = "estoque.csv") -> Reading:
    """As the import reads it, on a day of 2026."""
    raw = data.encode() if isinstance(data, str) else data
    return read_stock(StockFile(name=name, data=raw), today=TODAY)


_CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content office:version="1.2"
  xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>
</office:document-content>"""
_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest manifest:version="1.2"
  xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>"""
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """An ODS file as LibreOffice lays it out. Cells are XML: see `words` and `number`."""
    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", _ODS)  # first, and stored as it is
        archive.writestr("META-INF/manifest.xml", _MANIFEST.format(kind=_ODS))
        archive.writestr("content.xml", _CONTENT.format(tables=tables))
    return out.getvalue()


def words(text: str, attributes: str = "") -> str:
    """A cell with text."""
    return (
        f'<table:table-cell office:value-type="string" {attributes}>'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


def number(value: str, shown: str, kind: str = "float") -> str:
    """A cell with a number, and what the program shows in its place."""
    return (
        f'<table:table-cell office:value-type="{kind}" office:value="{value}">'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )

"""Makes workbooks and readings for tests."""

from __future__ import annotations

import io
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

"""Reads workbooks: XLSX, XLSM, XLSB, XLS and ODS. Called by `.files`."""

from __future__ import annotations

import io
import zipfile

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from worker.stock.grid import Row, find_heading, read_grid
from worker.stock.reading import BadFile, Reading

MAX_UNPACKED = 200_000_000
"""Bytes that a workbook may unpack to: a small file can hold a bomb."""
MAX_CELLS = 3_000_000


def read_book(data: bytes, reading: Reading) -> None:
    """All sheets that have a heading; hidden ones are passed over. Raises BadFile."""
    _refuse_a_bomb(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            (meta.name, meta.visible is SheetVisibleEnum.Visible, book.get_sheet_by_name(meta.name))
            for meta in book.sheets_metadata
            if meta.typ is SheetTypeEnum.WorkSheet
        ]
    except PasswordError as error:
        raise BadFile("A planilha tem senha: tire a senha no Excel e salve de novo.") from error
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadFile(
            "A planilha está estragada ou cortada: abra no Excel e salve como .xlsx."
        ) from error
    several = len(sheets) > 1
    found = False
    for name, visible, sheet in sheets:
        if not visible:
            reading.notes.append(f"a planilha oculta {name} não foi lida")
            continue
        rows = _rows(name, sheet)
        heading = find_heading(rows, reading.words)
        if heading is not None:
            found = True
            read_grid(rows, heading, reading, name if several else None)
        elif rows:
            reading.notes.append(f"a planilha {name} não tem cabeçalho de carros e não foi lida")
    if not found:
        raise BadFile(
            "Nenhuma planilha tem cabeçalho: uma linha deve ter os nomes das colunas, como "
            "Marca, Modelo, Ano, Preço, KM. Para nomes próprios use --columns."
        )


def _refuse_a_bomb(data: bytes) -> None:
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadFile(
            "A planilha está estragada ou cortada: abra no Excel e salve como .xlsx."
        ) from error
    if size > MAX_UNPACKED:
        raise BadFile("A planilha é grande demais: deixe nela apenas o estoque e salve de novo.")


def _rows(name: str, sheet: CalamineSheet) -> list[Row]:
    """With the numbers that Excel shows. A value of cells merged downwards stands in each."""
    if sheet.total_height * sheet.total_width > MAX_CELLS:
        raise BadFile(
            f"A planilha {name} é grande demais: apague linhas e colunas vazias formatadas."
        )
    cells: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, _right) in sheet.merged_cell_ranges or ():
        for row in range(top + 1, min(bottom + 1, len(cells))):
            if left < len(cells[row]) and left < len(cells[top]):
                cells[row][left] = cells[top][left]
    return [Row(line=number, cells=row) for number, row in enumerate(cells, 1)]

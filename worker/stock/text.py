"""Decodes text and reads CSV in any of its forms. Called by `.files`."""

from __future__ import annotations

import codecs
import csv
import io
import itertools

from worker.stock.grid import Heading, Row, find_heading, read_grid
from worker.stock.reading import BadFile, Reading

_DELIMITERS = ";,\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAX_CELL = 1_000_000


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 or what Excel in Brazil writes (cp1252); UTF-8 that was once read as cp1252
    (`PreÃ§o`) is mended."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise BadFile(
                    "O arquivo de texto está cortado ou estragado: exporte-o de novo."
                ) from error
    zeros = data[:400].count(0)
    if zeros > len(data[:400]) // 4:  # every second byte of plain letters in UTF-16
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", errors="replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
    if "Ã" in text:
        try:
            return text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            return text
    return text


def read_csv(text: str, reading: Reading) -> None:
    """The separator is the one that makes a heading. Raises BadFile."""
    if text[:4].lower() == "sep=":  # a line for Excel alone
        text = "\n" + text.partition("\n")[2]
    tries = [found for delimiter in _DELIMITERS if (found := _heading(text, delimiter, reading))]
    if not tries:
        raise BadFile(
            "Não achei o cabeçalho: a primeira linha da tabela deve ter os nomes das colunas, "
            "como Marca;Modelo;Ano;Preço;KM. Para nomes próprios use --columns."
        )
    delimiter, heading = max(tries, key=lambda found: len(found[1].fields))
    rows = _rows(text, delimiter)
    _refuse_a_cut_file(text, rows, heading)
    read_grid(rows, heading, reading, None)


def _heading(text: str, delimiter: str, reading: Reading) -> tuple[str, Heading] | None:
    start = "".join(itertools.islice(io.StringIO(text, newline=""), 60))
    rows = [
        Row(line=number, cells=cells)
        for number, cells in enumerate(
            csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), 1
        )
    ]
    heading = find_heading(rows, reading.words)
    return None if heading is None else (delimiter, heading)


def _rows(text: str, delimiter: str) -> list[Row]:
    """A line is counted where it begins: a cell may hold several."""
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    begin = 1
    try:
        for cells in reader:
            rows.append(Row(line=begin, cells=cells))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise BadFile(
            f"Linha {begin}: as aspas não fecham ou sobram. Corrija-as, ou salve a planilha "
            "como .xlsx e importe esse arquivo."
        ) from error
    return rows


def _refuse_a_cut_file(text: str, rows: list[Row], heading: Heading) -> None:
    """A last line without its end and without its last cells: the file was not copied whole."""
    last = rows[-1]
    if (
        not text.endswith(("\n", "\r"))
        and len(last.cells) < len(heading.names)
        and len(rows) > heading.place + 1
    ):
        raise BadFile(
            f"O arquivo parece cortado na linha {last.line}: faltam colunas e o fim da linha. "
            "Exporte ou copie-o de novo."
        )

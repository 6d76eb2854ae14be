"""Finds the heading of a table and reads the lines below it. Called for CSV files and workbooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.stock.reading import BadFile, Place, Reading
from worker.stock.words import SEVERAL, Words, plain

_LOOK_AT = 40
"""A heading that comes later is none."""
_KEYS = frozenset({"brand", "model", "brand_model", "id", "codigo", "chassi"})
_NAMES = frozenset({"brand", "model", "brand_model"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table; an empty cell is "" or None."""

    line: int
    cells: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Which columns mean what."""

    place: int
    """Index of its row."""
    names: tuple[str, ...]
    fields: dict[str, list[int]]
    unused: tuple[str, ...]


def find_heading(rows: Sequence[Row], words: Words) -> Heading | None:
    """The row with the most names of fields, two at least; titles may stand above. A heading of two
    rows (`Ano` above `Fabricação` and `Modelo`) is read as one. Raises BadFile when two columns of
    it have the same name."""
    best, most, chosen = 0, 1, tuple[str, ...]()
    for index, row in enumerate(rows[:_LOOK_AT]):
        above = rows[index - 1].cells if index else ()
        names = _names(above, row.cells, words)
        known = {found[0] for name in names if (found := words.field_of(name))}
        goes_on = len(known) == most and index == best + 1 and _only_names(row, names, words)
        if (len(known) > most or goes_on) and known & _KEYS:
            best, most, chosen = index, len(known), names
    return _heading(best, rows[best], chosen, words) if chosen else None


def _names(above: Sequence[object], cells: Sequence[object], words: Words) -> tuple[str, ...]:
    """What the columns are called by a row and, where that alone does not tell, by the one above:
    a group's title stands over its first column, a name over two rows in the upper one."""
    if any(cell is not None and not isinstance(cell, str) for cell in cells):
        above = ()  # a line with numbers is a car: the heading above it does not name it again
    own = [_text(cell) for cell in cells] + [""] * (len(above) - len(cells))
    uppers = [_text(cell) for cell in above] + [""] * (len(own) - len(above))
    names = [
        name or (upper if words.field_of(upper) else "")
        for name, upper in zip(own, uppers, strict=True)
    ]
    whole, group = list(names), ""
    for column, (name, upper) in enumerate(zip(own, uppers, strict=True)):
        group = upper or group
        if not name or (words.field_of(name) is not None and names.count(name) == 1):
            continue
        if group and words.field_of(f"{group} {name}") is not None:
            whole[column] = f"{group} {name}"
    while len(whole) > len(cells) and not whole[-1]:
        whole.pop()
    return tuple(whole)


def _only_names(row: Row, names: Sequence[str], words: Words) -> bool:
    """Whether all that stands in a row names a field, with the row above (`(R$)` below `Preço`)."""
    told = [name for cell, name in zip(row.cells, names, strict=False) if _text(cell)]
    return bool(told) and all(words.field_of(name) is not None for name in told)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _heading(index: int, row: Row, names: tuple[str, ...], words: Words) -> Heading:
    found: dict[str, list[tuple[int, int]]] = {}
    unused = []
    for column, name in enumerate(names):
        match = words.field_of(name)
        if match is None:
            unused.extend([name] if name else [])
        else:
            found.setdefault(match[0], []).append((match[1], column))
    fields: dict[str, list[int]] = {}
    for field, columns in found.items():
        if field in SEVERAL:
            fields[field] = [column for _, column in columns]
            continue
        columns.sort()
        if len(columns) > 1 and columns[0][0] == columns[1][0]:
            raise BadFile(
                f"Há duas colunas com o nome '{names[columns[0][1]]}' (linha {row.line}): "
                "apague ou renomeie uma delas."
            )
        fields[field] = [columns[0][1]]
        unused.extend(f"{names[column]} (vale {names[columns[0][1]]})" for _, column in columns[1:])
    return Heading(place=index, names=names, fields=fields, unused=tuple(unused))


def read_grid(rows: Sequence[Row], heading: Heading, reading: Reading, sheet: str | None) -> None:
    """The lines below the heading. `sheet` names the sheet where a workbook has several.

    The sheet's own name may say that its cars are sold or reserved.
    """
    status = reading.words.status.get(plain(sheet or ""), "silent")
    passed: list[int] = []
    for row in rows[heading.place + 1 :]:
        place = Place(line=row.line, sheet=sheet)
        filled = [
            column
            for column, cell in enumerate(row.cells)
            if cell is not None and str(cell).strip()
        ]
        if not filled:
            continue
        if _is_no_car(row, filled, heading, reading.words):
            passed.append(row.line)
            continue
        beyond = [column for column in filled if column >= len(heading.names)]
        if beyond:
            reading.refuse(
                place,
                f"tem {filled[-1] + 1} colunas e o cabeçalho tem {len(heading.names)}: "
                "um texto ou valor contém o separador; ponha-o entre aspas ou salve como .xlsx",
            )
            continue
        values = dict(_values(row, heading, set(filled)))
        if status != "silent" and "status" not in values:
            values["status"] = [status]
        reading.take(place, values)
    _note(reading, heading, passed, sheet)


def _values(row: Row, heading: Heading, filled: set[int]) -> Iterator[tuple[str, list[object]]]:
    for field, columns in heading.fields.items():
        cells = [row.cells[column] for column in columns if column in filled]
        if cells:
            yield field, [cell.strip() if isinstance(cell, str) else cell for cell in cells]


def _is_no_car(row: Row, filled: list[int], heading: Heading, words: Words) -> bool:
    """A heading again, a sum, a title between the cars."""
    texts = [str(row.cells[column]).strip() for column in filled]
    above = [heading.names[column] for column in filled if column < len(heading.names)]
    if plain(texts[0]) == plain("".join(above[:1])) and [*map(plain, texts)] == [
        *map(plain, above)
    ]:
        return True
    names = {column for field in _NAMES for column in heading.fields.get(field, ())}
    is_whole = names <= set(filled[1:])  # a car whose code begins like a sum
    if words.is_sum(texts[0]) and not is_whole:
        return True
    return len(set(texts)) == 1 and len(heading.fields) > 2


def _note(reading: Reading, heading: Heading, passed: list[int], sheet: str | None) -> None:
    where = f"planilha {sheet}: " if sheet else ""
    if heading.unused:
        reading.notes.append(f"{where}colunas não usadas: {', '.join(heading.unused)}")
    if passed:
        lines = ", ".join(str(line) for line in passed[:20]) + (" ..." if len(passed) > 20 else "")
        reading.notes.append(f"{where}linhas sem carro (títulos, totais): {lines}")
    if "price" not in heading.fields:
        reading.notes.append(f"{where}não há coluna de preço: os preços ficam como estão")

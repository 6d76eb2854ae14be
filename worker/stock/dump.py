"""Makes cars of the rows of an SQL dump. Called by `.files`. Nothing of the dump is run."""

from __future__ import annotations

from collections.abc import Mapping

from worker.stock.reading import BadFile, Place, Reading
from worker.stock.sql import InsertedRow, SqlError, read_inserts

_OWNERS = ("car_id", "carro_id", "veiculo_id", "id_veiculo", "id_carro")
_ADDRESSES = ("url", "link", "caminho", "arquivo", "foto", "imagem")
_ORDERS = ("ordem", "posicao", "sort")


def read_sql(text: str, reading: Reading) -> None:
    """Cars with the photos that name their ids. In a table that is not ours, `id` is the dealer's
    own code. Raises BadFile."""
    try:
        rows, others = read_inserts(text, reading.words.tables)
    except SqlError as error:
        raise BadFile(f"Linha {error.line}: {error}") from error
    if others:
        reading.notes.append(f"tabelas que não são de carros: {', '.join(sorted(others))}")
    cars: dict[object, tuple[int, dict[str, list[object]]]] = {}
    for row in rows:
        if reading.words.tables[row.table] == "cars":
            key = row.values.get("id")
            cars[object() if key is None else str(key)] = (row.line, _fields(row, reading))
    photos = [row for row in rows if reading.words.tables[row.table] == "car_images"]
    for row in sorted(photos, key=lambda row: _order(row.values)):
        owner = cars.get(str(_first(row.values, _OWNERS)))
        if owner is None:
            reading.refuse(
                Place(line=row.line),
                "é a foto de um carro que não está neste arquivo: exporte os dois",
            )
        else:
            owner[1].setdefault("images", []).append(_first(row.values, _ADDRESSES) or "")
    for line, values in cars.values():
        reading.take(Place(line=line), values)


def _fields(row: InsertedRow, reading: Reading) -> dict[str, list[object]]:
    found: dict[str, tuple[int, list[object]]] = {}
    for column, value in row.values.items():
        match = reading.words.field_of(column)
        if match is None or value is None or value == "":
            continue
        field, fit = match
        if field == "id" and row.table != "cars":
            field = "codigo"
        if field not in found or fit < found[field][0]:
            found[field] = (fit, [value])
    return {field: cells for field, (_, cells) in found.items()}


def _first(values: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((values[name] for name in names if name in values), None)


def _order(values: Mapping[str, object]) -> tuple[int, int]:
    """The main photo first, then as numbered."""
    ordem = _first(values, _ORDERS)
    main = values.get("is_principal") in (1, "1", True)
    return (0 if main else 1, ordem if isinstance(ordem, int) else 0)

"""Reads cars out of JSON of any shape. Called by `.files`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from worker.stock.reading import BadFile, Place, Reading
from worker.stock.words import SEVERAL, plain

_DEEPEST = 5
_SPOKEN = ("nome", "name", "descricao", "titulo", "label", "texto", "text", "valor", "value")
_ADDRESSES = ("url", "src", "link", "href", "original", "grande")


def read_json(text: str, reading: Reading) -> None:
    """A list of cars, or the longest list of objects inside an object. Raises BadFile."""
    try:
        value = json.loads(text, parse_float=Decimal)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f" (linha {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BadFile(f"O JSON está cortado ou tem erro{line}: exporte-o de novo.") from error
    lists = list(_lists(value, 0))
    if not lists:
        raise BadFile(
            'O JSON não tem lista de carros: use [{"marca": ...}, ...] ou {"cars": [...]}.'
        )
    unused: dict[str, None] = {}
    for number, car in enumerate(_longest(lists), 1):
        place = Place(line=number, unit="carro")
        if not isinstance(car, Mapping):
            reading.refuse(place, "um carro em JSON é um objeto, com chaves e valores")
            continue
        reading.take(place, _fields(car, reading, unused))
    if unused:
        reading.notes.append(f"chaves não usadas: {', '.join(list(unused)[:40])}")


def _longest(lists: Sequence[list[object]]) -> list[object]:
    return max(lists, key=lambda found: len(found))


def _lists(value: object, depth: int) -> Iterator[list[object]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        if any(isinstance(item, Mapping) for item in value):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _lists(inner, depth + 1)


def _fields(
    car: Mapping[str, object], reading: Reading, unused: dict[str, None]
) -> dict[str, list[object]]:
    """The values by field; of several names for one field the one that fits best."""
    found: dict[str, tuple[int, list[object]]] = {}
    for name, value in _flat(car, reading):
        match = reading.words.field_of(name)
        if match is None:
            unused.setdefault(name)
            continue
        field, fit = match
        cells = _cells(field, value)
        if not cells:
            continue
        if field in SEVERAL and field in found:
            cells = found[field][1] + cells
        if field in SEVERAL or field not in found or fit < found[field][0]:
            found[field] = (fit, cells)
    return {field: cells for field, (_, cells) in found.items()}


def _flat(car: Mapping[str, object], reading: Reading) -> Iterator[tuple[str, object]]:
    """Objects inside: {"marca": {"nome": "Fiat"}} is a value, {"veiculo": {"marca": ..}} more."""
    for name, value in car.items():
        if not isinstance(value, Mapping):
            yield name, value
            continue
        spoken = next((value[key] for key in _SPOKEN if key in value), None)
        if spoken is not None and reading.words.field_of(name) is not None:
            yield name, spoken
        else:
            yield from (
                (inner, deep) for inner, deep in value.items() if not isinstance(deep, Mapping)
            )


def _cells(field: str, value: object) -> list[object]:
    items = value if isinstance(value, list) else [value]
    cells = [_item(field, item) for item in items]
    filled = [cell for cell in cells if cell is not None and str(cell).strip()]
    if field not in SEVERAL and field != "description":
        return filled[:1]
    return filled


def _item(field: str, item: object) -> object:
    if isinstance(item, Mapping):
        names = _ADDRESSES if field == "images" else _SPOKEN
        by_name = {plain(str(name)): value for name, value in item.items()}
        return next((by_name[name] for name in names if name in by_name), None)
    if isinstance(item, list):
        return None
    if isinstance(item, str):
        return item.strip()
    return item

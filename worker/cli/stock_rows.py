"""One car of a stock file, checked. Made by `worker.cli.stock_files`, stored by `.stock_store`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

_NAMES = {
    "marca": "brand",
    "modelo": "model",
    "ano": "year",
    "ano_fabricacao": "year",
    "ano_modelo": "year_model",
    "anomodelo": "year_model",
    "preco": "price",
    "valor": "price",
    "km": "mileage",
    "quilometragem": "mileage",
    "cor": "color",
    "combustivel": "fuel_type",
    "cambio": "transmission",
    "descricao": "description",
    "situacao": "status",
    "fotos": "images",
    "imagens": "images",
    "photos": "images",
}
_STATUSES = {
    "disponivel": "available",
    "reservado": "reserved",
    "vendido": "sold",
}
_IGNORED = frozenset({"created_at", "updated_at"})
_NUMBER = re.compile(r"-?\d+([.,]\d+)*")


def _plain(text: str) -> str:
    """Lower case, no accents, words joined by _."""
    bare = unicodedata.normalize("NFKD", text.strip().lower())
    return re.sub(r"[\s\-]+", "_", "".join(c for c in bare if not unicodedata.combining(c)))


def _decimal(value: object) -> object:
    """`89900`, `89900.00`, `89.900,00`, `R$ 89.900`; a dot before three last digits parts
    thousands."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if not isinstance(value, str):
        return value
    text = re.sub(r"(?i)r\$|km|\s", "", value)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{value!r} is no number")
    if "," in text:
        whole, _, part = text.rpartition(",")
        if len(part) == 3 and "." not in whole:  # 89,900 as an English sheet has it
            whole, part = whole + part, "0"
        text = whole.replace(".", "").replace(",", "") + "." + part
    elif re.fullmatch(r"-?\d{1,3}(\.\d{3})+", text):
        text = text.replace(".", "")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None


def _whole(value: object) -> object:
    number = _decimal(value)
    if isinstance(number, Decimal) and number == number.to_integral_value():
        return int(number)
    return number


def _status(value: object) -> object:
    return _STATUSES.get(_plain(value), _plain(value)) if isinstance(value, str) else value


def _images(value: object) -> object:
    """A list, or addresses in one cell, parted by spaces, lines, `|` or `;`."""
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[\s|;]+", value) if part)
    if isinstance(value, list):
        return tuple(item.get("url") if isinstance(item, dict) else item for item in value)
    return value


Whole = Annotated[int | None, BeforeValidator(_whole)]
Url = Annotated[str, Field(max_length=500, pattern=r"^https?://\S+$")]


class CarRow(BaseModel):
    """A row of `cars` with its photos in order. None: the file says nothing of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[Whole, Field(ge=1, le=2**31 - 1)] = None
    brand: Annotated[str | None, Field(max_length=100)] = None
    model: Annotated[str | None, Field(max_length=255)] = None
    year: Annotated[Whole, Field(ge=1900, le=2100)] = None
    year_model: Annotated[Whole, Field(ge=1900, le=2100)] = None
    price: Annotated[
        Decimal | None, BeforeValidator(_decimal), Field(ge=0, max_digits=12, decimal_places=2)
    ] = None
    mileage: Annotated[Whole, Field(ge=0, le=2**31 - 1)] = None
    color: Annotated[str | None, Field(max_length=50)] = None
    fuel_type: Annotated[str | None, Field(max_length=50)] = None
    transmission: Annotated[str | None, Field(max_length=50)] = None
    description: Annotated[str | None, Field(max_length=16_000)] = None
    status: Annotated[Literal["available", "reserved", "sold"] | None, BeforeValidator(_status)] = (
        None
    )
    images: Annotated[tuple[Url, ...] | None, BeforeValidator(_images)] = None


def column_of(name: str) -> str | None:
    """The column that a heading means, in English or Portuguese; None for one to be ignored.

    Raises ValueError for a heading that means nothing to us.
    """
    plain = _plain(name)
    column = _NAMES.get(plain, plain)
    if column in _IGNORED:
        return None
    if column not in CarRow.model_fields:
        raise ValueError(f"there is no column {name!r}; known: {', '.join(CarRow.model_fields)}")
    return column


def car_of(values: Mapping[str, object]) -> CarRow:
    """A car from the values of a line. Raises ValueError that says what is wrong, in one line."""
    row: dict[str, object] = {}
    for name, value in values.items():
        column = column_of(name)
        cell = value.strip() if isinstance(value, str) else value
        if column is not None and cell not in (None, ""):
            row[column] = cell
    year = row.get("year")
    if isinstance(year, str) and (pair := re.fullmatch(r"(\d{4})\s*/\s*(\d{4})", year)):
        row["year"] = pair[1]
        row.setdefault("year_model", pair[2])
    try:
        car = CarRow.model_validate(row)
    except ValidationError as error:
        raise ValueError(_in_words(error)) from None
    if car.id is None and not (car.brand and car.model):
        raise ValueError("a car needs a brand and a model, or the id of one that is there")
    return car


def _in_words(error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        given = "" if message.startswith(repr(problem["input"])) else f": {problem['input']!r:.60}"
        problems.append(f"{where}: {message[:1].lower()}{message[1:]}{given}")
    return "; ".join(problems)

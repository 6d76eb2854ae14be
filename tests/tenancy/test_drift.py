"""What counts as drift of a dealer's tables, and what is the dealer's own affair."""

from __future__ import annotations

from dataclasses import replace

from schema.snapshot import snapshot
from schema.steps import Kind
from tenancy.drift import Column, Index, Table, differences, expected

_CARS = Table(
    {"id": Column("int", nullable=False), "color": Column("varchar(50)", nullable=True)},
    frozenset({Index(("id",), unique=True), Index(("color",), unique=False)}),
)


def test_every_line_of_the_snapshot_is_understood() -> None:
    """A column or key that is not read would never be missed."""
    shape = snapshot(Kind.TENANT)
    assert shape is not None
    read = expected(shape)

    for statement in shape.statements:
        lines = [line.strip() for line in statement.splitlines()[1:-1]]
        table = read[statement.split("`")[1]]
        assert len(table.columns) == sum(line.startswith("`") for line in lines)
        keys = [line for line in lines if "KEY" in line.split("(")[0] and line[0] != "`"]
        assert len(table.indexes) == sum("CONSTRAINT" not in line for line in keys)


def test_what_is_the_dealers_own_is_no_drift() -> None:
    """More tables, columns and indexes; a longer or a unique index in place of a plain one."""
    own = Table(
        {**_CARS.columns, "placa": Column("char(7)", nullable=False)},
        frozenset({Index(("id",), unique=True), Index(("color", "id"), unique=True)}),
    )

    assert differences({"cars": _CARS}, {"cars": own, "clientes": _CARS}) == []


def test_what_statements_rely_on_is_drift() -> None:
    """Tables, columns, types, NULL where we write it, uniqueness."""
    shapes = {
        "table cars is missing": None,
        "column cars.color is missing": replace(_CARS, columns={"id": _CARS.columns["id"]}),
        "column cars.color is text, not varchar(50)": _with(Column("text", nullable=True)),
        "column cars.color takes no NULL": _with(Column("varchar(50)", nullable=False)),
        "index on cars (color) is missing": replace(
            _CARS, indexes=frozenset({Index(("id",), unique=True)})
        ),
        "unique index on cars (id) is missing": replace(
            _CARS,
            indexes=frozenset({Index(("id",), unique=False), Index(("color",), unique=False)}),
        ),
    }
    for told, found in shapes.items():
        there = {} if found is None else {"cars": found}
        assert differences({"cars": _CARS}, there) == [told]


def _with(color: Column) -> Table:
    return replace(_CARS, columns={**_CARS.columns, "color": color})

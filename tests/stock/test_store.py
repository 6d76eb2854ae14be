"""An import against a real database: whole or not at all, once, and fast enough."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from schema.errors import TryAgain
from tenancy.lease import TenantConnection
from tenancy.names import database_of
from tenancy.session import Session
from tenancy.trips import Result
from tests.tenancy.installation import Installation
from worker.stock import rows
from worker.stock.files import StockFile
from worker.stock.run import import_stock
from worker.stock.values import Action, Options, Outcome, Plan

_H = "Código;Marca;Modelo;Ano;Cor;KM;Preço;Fotos\n"


async def _import(
    installation: Installation, text: str, options: Options | None = None, *, number: int = 1
) -> Outcome:
    async with installation.tenancy() as tenancy:
        return await import_stock(
            tenancy,
            installation.empresa_id(number),
            StockFile(name="estoque.csv", data=text.encode()),
            options or Options(),
        )


async def _rows(
    installation: Installation, query: str, number: int = 1
) -> list[tuple[object, ...]]:
    return await installation.sql(query, database=database_of(installation.empresa_id(number)))


def _line(number: int, price: int = 50_000) -> str:
    url = f"https://f.example/{number}"
    return (
        f"A{number};Fiat;Argo {number % 40};2020;Prata;{number};{price};{url}-1.jpg {url}-2.jpg\n"
    )


async def test_five_thousand_cars_take_less_than_five_seconds(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New, and again with changed prices: each with two photos. Counted in seconds of our own
    work, which a busy machine does not change, and in statements, which a far server would feel.
    """
    await installation.create()
    first = _H + "".join(_line(number) for number in range(5000))
    second = _H + "".join(_line(number, 49_000) for number in range(5000))
    took = []
    sent: list[str] = []
    run = Session.run

    async def counted(self: Session, sql: str, *args: Any, **options: Any) -> Result:
        sent.append(sql)
        return await run(self, sql, *args, **options)

    monkeypatch.setattr(Session, "run", counted)
    for text in (first, second):
        sent.clear()
        begun = time.process_time()
        outcome = await _import(installation, text)
        took.append(time.process_time() - begun)
        assert len(sent) < 200
        assert outcome.stored
    assert outcome.plan is not None
    assert outcome.plan.count(Action.CHANGE) == 5000
    assert await _rows(installation, "SELECT COUNT(*), MIN(price), MAX(price) FROM cars") == [
        (5000, 49_000, 49_000)
    ]
    assert await _rows(installation, "SELECT COUNT(*) FROM car_images") == [(10_000,)]
    assert max(took) < 5, took


async def test_a_failure_in_the_middle_leaves_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cars, keys, photos and the log's line: all of it or none."""
    await installation.create()

    async def fails(*_: object) -> None:
        raise ValueError("in mid-import")

    with monkeypatch.context() as patch:
        patch.setattr(rows, "_write_photos", fails)
        with pytest.raises(ValueError, match="in mid-import"):
            await _import(installation, _H + _line(1))
    for table in ("cars", "car_images", "estoque_chaves", "estoque_importacoes"):
        assert await _rows(installation, f"SELECT COUNT(*) FROM {table}") == [(0,)]  # noqa: S608
    assert (await _import(installation, _H + _line(1))).stored


async def test_two_imports_at_once_make_no_car_twice(installation: Installation) -> None:
    """One waits for the other; a dealer with the same codes has cars of his own."""
    await installation.create()
    await installation.create(2, "Outra Loja")
    text = _H + "".join(_line(number) for number in range(50))
    await asyncio.gather(
        _import(installation, text),
        _import(installation, text),
        _import(installation, text, number=2),
    )
    for number in (1, 2):
        assert await _rows(installation, "SELECT COUNT(*) FROM cars", number) == [(50,)]


async def test_a_car_that_was_missing_comes_back_as_the_same_car(
    installation: Installation,
) -> None:
    """With its id, and so with its conversations and visits; a word is said of those."""
    await installation.create()
    both = _H + _line(1) + _line(2)
    await _import(installation, both)
    (car_id,) = (await _rows(installation, "SELECT MAX(id) FROM cars"))[0]
    await _rows(installation, "INSERT INTO customers (phone) VALUES ('5541999990000')")
    await _rows(
        installation,
        "INSERT INTO agendamentos (customer_id, car_id, tipo, data_agendada) "  # noqa: S608
        f"SELECT id, {car_id}, 'visita', NOW() + INTERVAL 2 DAY FROM customers",
    )

    gone = await _import(installation, _H + _line(1), Options(full=True))
    sold = await _rows(installation, "SELECT status FROM cars ORDER BY id")
    back = await _import(installation, both, Options(full=True))

    assert gone.plan is not None
    assert "1 visita(s)" in gone.plan.entries[-1].reasons[0]
    assert sold == [("available",), ("sold",)]
    assert back.stored
    assert await _rows(installation, "SELECT id, status FROM cars ORDER BY id DESC LIMIT 1") == [
        (car_id, "available")
    ]
    assert await _rows(installation, "SELECT COUNT(*) FROM estoque_ausentes") == [(0,)]


async def test_new_photos_take_the_place_of_the_old(installation: Installation) -> None:
    """In the file's order, the first one the main one; the same photos are no change."""
    await installation.create()
    await _import(installation, _H + _line(1))
    same = await _import(installation, _H + _line(1))
    changed = _line(1).replace("1-1.jpg", "nova.jpg")
    await _import(installation, _H + changed)
    assert same.plan is not None
    assert same.plan.count(Action.SAME) == 1
    photos = "SELECT url, ordem, is_principal FROM car_images ORDER BY ordem"
    assert await _rows(installation, photos) == [
        ("https://f.example/nova.jpg", 0, 1),
        ("https://f.example/1-2.jpg", 1, 0),
    ]


async def test_a_chassis_and_a_plate_are_nowhere_in_the_database(
    installation: Installation,
) -> None:
    """The car is known again by its chassis all the same."""
    await installation.create()
    text = "Chassi;Placa;Marca;Modelo;Preço\n9BWZZZ377VT004251;QQX4D56;Fiat;Uno;{}\n"
    await _import(installation, text.format(30_000))
    again = await _import(installation, text.format(29_000))
    assert again.plan is not None
    assert again.plan.count(Action.CHANGE) == 1
    for table in ("cars", "estoque_chaves", "estoque_importacoes"):
        found = str(await _rows(installation, f"SELECT * FROM {table}"))  # noqa: S608
        assert "9BWZZZ" not in found
        assert "QQX4D56" not in found


async def test_a_move_that_begins_during_an_import_is_not_overtaken(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy may be made already: the import takes everything back, and is for later."""
    await installation.create()
    write = rows.write

    async def held_meanwhile(conn: TenantConnection, plan: Plan) -> None:
        await write(conn, plan)
        await installation.central(
            "INSERT INTO operacoes_empresa (empresa_id, tipo, segura, pedido, iniciada_em)"
            " VALUES (%s, 'move', 1, '{}', UTC_TIMESTAMP(3))",
            (installation.empresa_id(),),
        )

    monkeypatch.setattr(rows, "write", held_meanwhile)
    with pytest.raises(TryAgain, match="a move of empresa"):
        await _import(installation, _H + _line(1))

    assert await _rows(installation, "SELECT id FROM cars") == []
    assert await _rows(installation, "SELECT id FROM estoque_importacoes") == []

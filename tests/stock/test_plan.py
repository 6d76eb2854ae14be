"""What an import will do: which line is which car, what changes and is sold, what stops it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.stock.sheets import read
from worker.stock.matching import key_of
from worker.stock.plan import chosen_key, make_plan, why_not
from worker.stock.values import COLUMNS, Action, Entry, Key, Options, Plan, Stored
from worker.stock.vehicle import CarRow

_EMPTY: dict[str, object] = dict.fromkeys(COLUMNS)
_H = "Código;Marca;Modelo;Ano;Cor;KM;Preço"


def _car(car_id: int, *, key: str | None = None, absent: bool = False, **values: object) -> Stored:
    base = {"brand": "Fiat", "model": "Argo", "year": 2020, "color": "Branco", "mileage": 41000,
            "price": Decimal(68900), "status": "available"}  # fmt: skip
    return Stored(id=car_id, values={**_EMPTY, **base, **values}, key=key, absent=absent)


def _plan(text: str, *stored: Stored, key: Key | None = None, full: bool = False) -> Plan:
    reading = read(text)
    chosen = chosen_key(reading, Options(key=key))
    return make_plan(reading, stored, chosen, full=full, empresa_id=7)


def _what(plan: Plan) -> list[tuple[Action, int | None]]:
    return [(entry.action, entry.car_id) for entry in plan.entries]


def _only(plan: Plan) -> Entry:
    (entry,) = plan.entries
    return entry


def test_a_code_is_the_car_whatever_else_has_changed() -> None:
    """Old and new of each column; the plan goes by the best key that the file has."""
    plan = _plan(f"{_H}\nA1;Fiat;Argo Drive;2020;Prata;52000;65.900\n", _car(3, key="A1"))
    assert plan.key is Key.CODE
    assert (_only(plan).action, _only(plan).car_id) == (Action.CHANGE, 3)
    assert [(c.field, c.old, c.new) for c in _only(plan).changes] == [
        ("model", "Argo", "Argo Drive"),
        ("price", Decimal(68900), Decimal(65900)),
        ("mileage", 41000, 52000),
        ("color", "Branco", "Prata"),
    ]


def test_a_car_without_a_code_gets_that_of_the_line_that_looks_like_it() -> None:
    """The first file with codes makes no car twice; a car with another code is another car."""
    plan = _plan(
        f"{_H}\nA1;Fiat;Argo;2020;Branco;41000;68900\nA2;Fiat;Argo;2020;Branco;41000;68900\n",
        _car(3),
        _car(4, key="B9"),
    )
    assert _what(plan) == [(Action.SAME, 3), (Action.ADD, None)]
    assert [entry.key for entry in plan.entries] == ["A1", "A2"]


def test_one_code_on_two_lines_refuses_both_with_both_places() -> None:
    """Nobody knows which price is right."""
    plan = _plan(f"{_H}\nA1;Fiat;Argo;2020;Prata;1;68900\nA1;Fiat;Argo;2020;Prata;1;69900\n")
    assert [(e.action, e.reasons) for e in plan.entries] == [
        (Action.REFUSE, ("o mesmo codigo está em linha 3: deixe uma linha só",)),
        (Action.REFUSE, ("o mesmo codigo está em linha 2: deixe uma linha só",)),
    ]


def test_a_line_without_its_code_is_refused() -> None:
    """It might be any car."""
    plan = _plan(f"{_H}\nA1;Fiat;Argo;2020;Prata;1;68900\n;Fiat;Mobi;2020;Prata;1;50000\n")
    assert plan.entries[1].reasons == ("falta o código, pelo qual os carros são reconhecidos",)


def test_a_chassis_number_is_kept_as_a_digest_per_dealer() -> None:
    """The number itself is stored and shown nowhere; two dealers' digests differ."""
    car = CarRow(chassi="9BWZZZ377VT004251")
    assert "9BWZZZ" not in repr(car)
    first, second = (key_of(car, Key.CHASSIS, empresa) for empresa in (7, 8))
    assert first is not None
    assert len(first) == 64
    assert first != second


def test_without_a_key_a_car_is_what_it_looks_like() -> None:
    """Case, accents and a few kilometres more make no other car; many kilometres do."""
    heading = "Marca;Modelo;Ano;Cor;KM;Preço"
    assert _what(_plan(f"{heading}\nFIAT;argo;2020;BRANCO;41.300;67900\n", _car(3))) == [
        (Action.CHANGE, 3)
    ]
    assert _what(_plan(f"{heading}\nFiat;Argo;2020;Branco;80000;67900\n", _car(3))) == [
        (Action.ADD, None)
    ]
    assert _what(_plan(f"{heading}\nFiat;Argo;2021;Branco;41000;68900\n", _car(3))) == [
        (Action.ADD, None)
    ]


def test_twins_keep_their_own_prices() -> None:
    """Two cars that differ in price alone are not swapped, in whatever order the file has them."""
    lines = "Marca;Modelo;Ano;Cor;KM;Preço\n" + "".join(
        f"Fiat;Argo;2020;Branco;41000;{price}\n" for price in (70000, 68900)
    )
    plan = _plan(lines, _car(3), _car(4, price=Decimal(70000)))
    assert _what(plan) == [(Action.SAME, 4), (Action.SAME, 3)]


def test_twins_that_cannot_be_told_apart_are_refused() -> None:
    """No car gets another's price by chance."""
    lines = "Marca;Modelo;Ano;Preço\nFiat;Argo;2020;65000\n"
    plan = _plan(lines, _car(3, mileage=10), _car(4, mileage=20))
    assert _only(plan).action is Action.REFUSE
    assert "id 3, id 4" in _only(plan).reasons[0]


def test_an_empty_cell_changes_nothing() -> None:
    """A price list needs a key and the prices."""
    plan = _plan("Código;Preço\nA1;60000\n", _car(3, key="A1"))
    assert [(c.field, c.new) for c in _only(plan).changes] == [("price", Decimal(60000))]
    new = _plan("Código;Preço\nA2;60000\n", _car(3, key="A1"))
    assert _only(new).reasons == ("falta marca e modelo: um carro novo precisa de marca e modelo",)


def test_only_a_complete_file_sells_what_it_does_not_list() -> None:
    """And what it took for sold is for sale again when a file lists it."""
    lines = f"{_H}\nA1;Fiat;Argo;2020;Branco;41000;68900\n"
    cars = (_car(3, key="A1"), _car(4, key="A2", status="reserved"), _car(5, status="sold"))
    assert _what(_plan(lines, *cars)) == [(Action.SAME, 3)]
    assert _what(_plan(lines, *cars, full=True)) == [(Action.SAME, 3), (Action.SELL, 4)]
    plan = _plan(lines, _car(3, key="A1", status="sold", absent=True))
    assert [(c.field, c.new) for c in _only(plan).changes] == [("status", "available")]
    assert plan.back == {3}


def test_a_car_that_a_person_took_back_is_his_to_sell() -> None:
    """Offered again by hand, it is no longer one that only a file's silence sold."""
    lines = f"{_H}\nA1;Fiat;Argo;2020;Branco;41000;68900\n"
    cars = (_car(3, key="A1"), _car(4, key="A2", absent=True))
    assert _plan(lines, *cars).back == {4}
    assert _plan(lines, *cars, full=True).back == frozenset()


def test_a_car_that_a_person_sold_stays_sold() -> None:
    """A file that merely lists it puts nothing back on offer; it is said."""
    plan = _plan(f"{_H}\nA1;Fiat;Argo;2020;Branco;41000;68900\n", _car(3, key="A1", status="sold"))
    assert _only(plan).action is Action.SAME
    assert "fica vendido" in _only(plan).reasons[0]


def test_a_refused_line_sells_no_car() -> None:
    """It may be the car that seems to be missing: known by its code, or nothing is sold."""
    cars = (_car(3, key="A1"), _car(4, key="A2"), _car(5, key="A3"))
    lines = f"{_H}\nA1;Fiat;Argo;2020;Branco;41000;68900\nA2;Fiat;Argo;2020;Branco;x;68900\n"
    assert _what(_plan(lines, *cars, full=True)) == [
        (Action.SAME, 3), (Action.REFUSE, None), (Action.SELL, 5),
    ]  # fmt: skip
    lines = f"{_H}\nA1;Fiat;Argo;2020;Branco;41000;68900\n;Fiat;Argo;2020;Branco;x;68900\n"
    plan = _plan(lines, *cars, full=True)
    assert Action.SELL not in {entry.action for entry in plan.entries}
    assert any("nenhum carro foi dado por vendido" in text for text in plan.notes)


@pytest.mark.parametrize(("left", "stops"), [(6, True), (7, False)])
def test_a_file_that_sells_too_much_needs_a_word(left: int, stops: bool) -> None:
    """30 percent of ten cars are three: the fourth asks for --confirm. By status or by absence."""
    cars = [_car(number, key=f"A{number}") for number in range(1, 11)]
    lines = [f"A{number};Fiat;Argo;2020;Branco;41000;68900" for number in range(1, left + 1)]
    plan = _plan("\n".join([_H, *lines]) + "\n", *cars, full=True)
    assert (why_not(plan, Options()) is not None) is stops
    assert why_not(plan, Options(confirm=True)) is None
    marked = [f"A{n};{'vendido' if n > left else 'disponível'}" for n in range(1, 11)]
    by_status = _plan("\n".join(["Código;Situação", *marked]) + "\n", *cars)
    assert (why_not(by_status, Options()) is not None) is stops


def test_refused_lines_stop_the_rest_unless_it_is_allowed() -> None:
    """None is allowed by default; a limit or --partial lets the others in; none left is none."""
    plan = _plan("Marca;Modelo;Preço\nFiat;Uno;caro\nFiat;Mobi;50000\n")
    assert why_not(plan, Options()) is not None
    assert why_not(plan, Options(max_refused=1)) is None
    assert why_not(plan, Options(partial=True)) is None
    assert why_not(_plan("Marca;Modelo;Preço\nFiat;Uno;caro\n"), Options(partial=True)) is not None

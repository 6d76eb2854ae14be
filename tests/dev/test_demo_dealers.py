"""The demo's two dealers are data that the product's own import takes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dev.chat.phones import GATEWAYS
from dev.dealers import DemoDealer, demo_dealers
from gateway.adapters import ADAPTERS
from worker.stock.files import read_file, read_stock

_DEALERS = demo_dealers()


@pytest.mark.parametrize("dealer", _DEALERS, ids=lambda dealer: dealer.nome)
def test_a_stock_file_is_whole(dealer: DemoDealer) -> None:
    """Some 20 cars with price, mileage, text and photos of their own; not all of them for sale."""
    reading = read_stock(read_file(dealer.stock))

    assert reading.refused == []
    assert 18 <= len(reading.cars) <= 25
    assert {car.status for car in reading.cars} == {"available", "reserved", "sold"}
    photos = [url for car in reading.cars for url in car.images or ()]
    assert len(set(photos)) == len(photos)
    for car in reading.cars:
        assert None not in (car.id, car.brand, car.model, car.color, car.fuel_type, car.images)
        assert Decimal(30_000) < (car.price or 0) < Decimal(250_000)
        assert car.transmission
        assert car.description
        assert car.images
        assert (car.year or 0) <= (car.year_model or 0) <= (car.year or 0) + 1


def test_the_dealers_differ_in_all_that_a_mix_up_would_show() -> None:
    """Each on a gateway of its own, with its own number, address and photos."""
    first, second = _DEALERS
    assert (first.empresa_id, second.empresa_id) == (5, 6)
    assert {first.gateway, second.gateway} < set(GATEWAYS) == set(ADAPTERS)
    assert first.channel != second.channel
    assert first.profile.endereco != second.profile.endereco
    cars = [
        {(car.id, car.brand, car.model) for car in read_stock(read_file(d.stock)).cars}
        for d in _DEALERS
    ]
    assert not cars[0] & cars[1]

"""Numbers as Brazilian dealers write them: each is read as meant or refused, never as another."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.stock.numbers import MAX_KM, BadNumber, km_of, price_of, years_of

_PRICES = st.integers(100_000, 5_000_000_000).map(lambda cents: Decimal(cents) / 100)


def _brazilian(price: Decimal) -> str:
    return f"{price:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


@given(_PRICES)
def test_a_price_is_the_same_however_it_is_written(price: Decimal) -> None:
    """With or without R$, dots, cents: one amount."""
    brazilian = _brazilian(price)
    for text in (brazilian, f"R$ {brazilian}", f"R${brazilian}", f"{price:.2f}", f"{price:,.2f}"):
        assert price_of(text) == price
    assert price_of(price) == price
    assert price_of(float(price)) == price


@given(st.integers(1_000, 50_000_000))
def test_whole_reais_need_no_cents(reais: int) -> None:
    """`89900`, `89.900`, `89900,-` and Excel's 89900.0."""
    dotted = f"{reais:,}".replace(",", ".")
    for value in (reais, float(reais), str(reais), dotted, f"R$ {dotted}", f"{reais},-"):
        assert price_of(value) == reais


@given(st.integers(0, MAX_KM))
def test_kilometres_are_the_same_however_they_are_written(km: int) -> None:
    """With dots, `km`, blanks, as Excel's numbers."""
    dotted = f"{km:,}".replace(",", ".")
    for value in (km, float(km), str(km), dotted, f"{dotted} km", f"{dotted}KM", f"{km},0"):
        assert km_of(value) == km


@given(st.integers(1900, 2027), st.integers(0, 1))
def test_years_are_the_same_however_they_are_parted(built: int, later: int) -> None:
    """`2020/2021`, `2020-2021`, `2020 / 2021`, `2020 2021`; one year alone."""
    model = built + later
    for sign in ("/", "-", " / ", " ", "–"):
        assert years_of(f"{built}{sign}{model}", now=2026) == (built, model)
    assert years_of(built, now=2026) == years_of(float(built), now=2026) == (built, None)


@given(st.integers(1950, 2026), st.integers(0, 1))
def test_two_digits_mean_the_newest_possible_year(built: int, later: int) -> None:
    """`20/21`, `99/00`."""
    pair = f"{built % 100:02}/{(built + later) % 100:02}"
    assert years_of(pair, now=2026) == (built, built + later)


@given(st.text(max_size=30) | st.floats() | st.integers() | st.booleans() | st.none())
def test_anything_else_is_refused_in_words(value: object) -> None:
    """No cell ends an import with an error of another kind, nor makes an impossible number."""
    for read in (price_of, km_of, lambda cell: years_of(cell, now=2026)[0]):
        with contextlib.suppress(BadNumber):
            number = read(value)
            assert number is None or 0 <= number <= 50_000_000


@pytest.mark.parametrize(
    ("text", "km"),
    [("0 km", 0), ("zero", 0), ("0km", 0), ("45 mil", 45_000), ("45,5 mil km", 45_500)],
)
def test_kilometres_in_words(text: str, km: int) -> None:
    """As they are spoken."""
    assert km_of(text) == km


@pytest.mark.parametrize(
    "text",
    [
        "89,9",
        "89.9",
        "-89900",
        "89.900.00",
        "80.000 a 90.000",
        "89900 + taxas",
        "1e5",
        "٨٩٩٠٠",
        "9" * 30,
    ],
)
def test_a_price_that_may_be_another_is_refused(text: str) -> None:
    """Better no import than a car for R$ 89,90."""
    with pytest.raises(BadNumber):
        price_of(text)


@pytest.mark.parametrize(
    "text", ["2021/2020", "2020/2024", "2O20", "1899", "2029", "20202021", "2020.5"]
)
def test_years_that_cannot_be_are_refused(text: str) -> None:
    """Swapped, misspelt, in the future."""
    with pytest.raises(BadNumber):
        years_of(text, now=2026)

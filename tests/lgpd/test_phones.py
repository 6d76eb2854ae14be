"""A number is found in every way that it was written, and never taken for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.phone import canonical_phone
from worker.lgpd.phones import forms, may_be_national, read_phone, readings

AREA = st.integers(11, 99).map(str).filter(lambda text: "0" not in text)
MOBILE = st.from_regex(r"\A[6-9][0-9]{7}\Z")


@given(AREA, MOBILE)
def test_all_ways_to_write_a_mobile_are_one_number(area: str, number: str) -> None:
    """With country or brackets, with and without the ninth digit."""
    phone = f"55{area}9{number}"
    written = [
        phone,
        f"55{area}{number}",
        f"+55 {area} 9{number[:4]}-{number[4:]}",
        f"({area}) 9{number[:4]}-{number[4:]}",
        f"0{area} {number}",
        f"({area}){number}",
        f"55{area}{number}@s.whatsapp.net",
    ]

    assert {reading for text in written for reading in readings(text)} == {phone}
    assert {read_phone(text) for text in written[:4]} == {phone}
    assert forms(phone) == {phone, f"55{area}{number}"}
    assert {canonical_phone(form) for form in forms(phone)} == {phone}


@pytest.mark.parametrize(
    "text", ["11987654321", "51987654321", "987654321", "", "abc", "5511", "123456@lid", "+"]
)
def test_what_may_be_two_numbers_is_not_guessed(text: str) -> None:
    """Eleven bare digits are Porto Alegre's or Peru's; the error does not repeat them."""
    with pytest.raises(ValueError, match="with its country") as caught:
        read_phone(text)

    assert text == "" or text not in str(caught.value) or text == "+"


def test_a_foreign_number_is_itself() -> None:
    """Bare digits in a database have their country: Peru's is not taken for Porto Alegre's."""
    assert read_phone("+51 987 654 321") == "51987654321"
    assert readings("51987654321") == {"51987654321"}
    assert may_be_national("51987654321", "5551987654321")
    assert not may_be_national("5551987654321", "5551987654321")


@given(st.text(max_size=30))
def test_any_text_can_be_read(text: str) -> None:
    """Whatever a dealer has in that column: a few numbers or none, each in its one form."""
    for phone in readings(text):
        assert canonical_phone(phone) == phone

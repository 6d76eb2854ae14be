"""One buyer has one key, however a gateway writes the number."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.phone import canonical_phone, masked, not_a_buyer

area = st.tuples(st.integers(1, 9), st.integers(1, 9)).map(lambda pair: f"{pair[0]}{pair[1]}")


@given(area, st.integers(6, 9), st.integers(0, 9_999_999))
def test_an_old_mobile_and_a_new_one_are_the_same_buyer(ddd: str, first: int, rest: int) -> None:
    """The ninth digit is added to a mobile that has none, and to no other."""
    local = f"{first}{rest:07d}"
    assert canonical_phone(f"55{ddd}{local}") == f"55{ddd}9{local}"
    assert canonical_phone(f"55{ddd}9{local}") == f"55{ddd}9{local}"


@given(area, st.integers(2, 5), st.integers(0, 9_999_999))
def test_a_landline_never_gets_a_ninth_digit(ddd: str, first: int, rest: int) -> None:
    """WhatsApp Business on a fixed line is common; with a 9 it would be someone else's."""
    number = f"55{ddd}{first}{rest:07d}"
    assert canonical_phone(number) == number


@given(st.text() | st.from_regex(r"[0-9@.:\-+ ]{0,40}"))
def test_the_key_is_stable_and_made_of_digits(address: str) -> None:
    """Whatever comes in: None or 5 to 20 digits, and the key of a key is itself."""
    phone = canonical_phone(address)
    if phone is not None:
        assert phone.isascii()
        assert phone.isdigit()
        assert 5 <= len(phone) <= 20
        assert canonical_phone(phone) == phone


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True))
def test_every_way_to_write_an_address_gives_the_same_key(number: str) -> None:
    """Server, device and agent suffixes and a plus sign say nothing about who it is."""
    expected = canonical_phone(number)
    written = (
        f"+{number}",
        f"{number}@c.us",
        f"{number}@s.whatsapp.net",
        f"{number}:24@s.whatsapp.net",
        f"{number}.0:24@s.whatsapp.net",
        f"{number}_1:3@s.whatsapp.net",
    )
    assert {canonical_phone(address) for address in written} == {expected}


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("5491155550001", "5491155550001"),
        ("541155550001", "541155550001"),
        ("5215555550001", "5215555550001"),
        ("551099990001", "551099990001"),
        ("550199990001", "550199990001"),
        ("+55 (31) 9999-0001", "5531999990001"),
    ],
)
def test_other_countries_and_impossible_area_codes_stay(number: str, key: str) -> None:
    """Only a Brazilian mobile with a valid area code is changed."""
    assert canonical_phone(number) == key


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "120000000000001@lid",
        "120363000000000001@g.us",
        "status@broadcast",
        "5511980000001@broadcast",
        "120363@newsletter",
        "BR.1000000000000001",
        "123",
        "1" * 21,
        "٥٥١١٩٨٠٠٠٠٠٠١",
    ],
)
def test_what_is_no_phone_gives_none(address: str | None) -> None:
    """A lid or a group looks like a number and is not one."""
    assert canonical_phone(address) is None


def test_only_a_person_is_a_buyer() -> None:
    """Groups, stories and channels are named; a lid is a person."""
    chats = ["1@g.us", "status@broadcast", "1@newsletter", "1@lid", "1@s.whatsapp.net", "1", None]
    found = [not_a_buyer(chat) for chat in chats]
    assert found == ["group", "broadcast", "newsletter", None, None, None, None]


def test_a_masked_address_calls_nobody() -> None:
    """Logs show four digits at most."""
    assert masked("5511980000001@s.whatsapp.net") == "...0001"
    assert masked("1234") == "..."


AREA_CODES = [
    *range(11, 20), 21, 22, 24, 27, 28, *range(31, 36), 37, 38, *range(41, 50), 51, 53, 54, 55,
    *range(61, 70), 71, 73, 74, 75, 77, 79, *range(81, 90), *range(91, 100),
]  # fmt: skip


@given(st.sampled_from(AREA_CODES), st.integers(6_000_0000, 9_999_9999))
def test_our_ninth_digit_makes_a_number_of_the_numbering_plan(area: int, local: int) -> None:
    """Somebody else's reading of the Brazilian plan agrees: with the 9 it is a mobile number."""
    key = canonical_phone(f"55{area}{local}@s.whatsapp.net")

    assert key == f"55{area}9{local}"
    parsed = phonenumbers.parse(f"+{key}")
    assert phonenumbers.is_valid_number(parsed)
    assert phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE

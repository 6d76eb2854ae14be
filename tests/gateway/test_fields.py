"""Single fields are clean values or None, whatever they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import fields


@given(st.text(st.characters(exclude_categories=())))
def test_a_text_can_always_be_stored(value: str) -> None:
    """No NUL, no half surrogate, and nothing else is touched."""
    found = fields.text(value)
    assert found is not None
    found.encode()
    assert "\x00" not in found
    assert len(found) == len(value.replace("\x00", ""))


@given(st.text(min_size=200, max_size=600), st.text(min_size=1, max_size=600))
def test_a_long_id_is_shortened_and_stays_itself(one: str, other: str) -> None:
    """The same id is stored once, two ids stay two; case counts."""
    first, second = fields.ident(one + "a"), fields.ident(one + "A" + other)
    assert first != second
    assert first == fields.ident(one + "a")
    assert first is not None
    assert len(first) <= 255


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1795400001, 1795400001),
        (1795400001.9, 1795400001),
        ("1795400001", 1795400001),
        ("1795400001.5", 1795400001),
        (1795400001999, 1795400001),
        ("1795400600456", 1795400600),
        ({"low": 1795400001, "high": 0, "unsigned": True}, 1795400001),
        ({"low": -1794967296, "high": 0, "unsigned": True}, 2500000000),
        ({"low": 103898272, "high": 418, "unsigned": False}, 1795400228),
        (0, 0),
        (-1, None),
        ("-1", None),
        ("ontem", None),
        ("١٧٩٥٤٠٠٠٠١", None),
        ("1_795", None),
        ("9" * 25, None),
        (2**2000, None),
        (1e300, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([], None),
        ({"low": 2**2000, "high": 2**2000}, None),
        ({"low": "1"}, None),
    ],
)
def test_a_time_is_whole_seconds_or_nothing(value: object, seconds: int | None) -> None:
    """All that gateways write as a time, and what they should not."""
    assert fields.unix_seconds(value) == seconds


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(anything)
def test_no_value_makes_a_field_raise(value: object) -> None:
    """Totality starts here."""
    for name in (fields.ident(value), fields.label(value), fields.address(value)):
        assert name is None or 0 < len(name) <= 255
    code = fields.code(value)
    assert code is None or -(2**63) < code < 2**63
    seconds = fields.unix_seconds(value)
    assert seconds is None or 0 <= seconds <= 1e11


def test_a_name_is_one_line() -> None:
    """A push name with line ends or markup is data: it must not start a new line in a log."""
    assert fields.label("Ana\r\nX-Admin: 1\u2028\x1b[31m") == "Ana X-Admin: 1 [31m"

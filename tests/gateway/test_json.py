"""Bytes from outside become JSON values or NotJson: no other exception, no long wait."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotJson
from gateway.json import loads

REFUSED = {
    "empty": b"",
    "cut off": b'{"entry": [',
    "nan": b"NaN",
    "nested nan": b'{"a": NaN}',
    "infinity": b"-Infinity",
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep and odd": b"[" * 100_000 + b'"\\ud800"' + b"]" * 100_000,
    "not utf-8": b'{"a": "\xff"}',
    "surrogate as utf-8": b'{"a": "\xed\xa0\x80"}',
    "utf-16": '{"a": 1}'.encode("utf-16"),
    "utf-16 without bom": '{"a": 1}'.encode("utf-16-le"),
    "bare control character": b'{"a": "\n"}',
    "two values": b"1 2",
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """The caller keeps it as a dead letter; nothing crashes."""
    with pytest.raises(NotJson):
        loads(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"null", None),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"from": "1", "from": "2"}', {"from": "2"}),
        (rb'{"a": "\ud800", "b": "ol\u00e1"}', {"a": "\ud800", "b": "olá"}),
        (rb'{"a": "\ud83d\ude97"}', {"a": "🚗"}),
        (rb'{"a": "\u0000"}', {"a": "\x00"}),
        (b'{"a": 1e400, "b": "oi"}', {"a": None, "b": "oi"}),
        (b'{"a": ' + b"9" * 1_000_000 + b', "b": 1}', {"a": None, "b": 1}),
        (rb'["\ud800", 18446744073709551616]', ["\ud800", 1.8446744073709552e19]),
        (rb'["\ud800", 9007199254740993]', ["\ud800", 9007199254740993]),
    ],
)
def test_odd_but_true_json_is_read(raw: bytes, value: object) -> None:
    """One odd field does not cost the rest of the body."""
    assert loads(raw) == value


@given(st.binary())
def test_any_bytes_give_a_value_or_not_json(raw: bytes) -> None:
    """NotJson is the only way out beside a value."""
    try:
        loads(raw)
    except NotJson:
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_what_json_writes_is_read_back(value: object) -> None:
    """Escaped or not, the value is the same."""
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


def test_the_refusal_holds_nothing_of_the_body() -> None:
    """What a buyer wrote must not reach a log through an error."""
    with pytest.raises(NotJson) as caught:
        loads(b'{"text": "meu CPF e 123')
    assert "CPF" not in str(caught.value)
    assert caught.value.__cause__ is None

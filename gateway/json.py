"""Turns the bytes of a webhook into JSON values without ever blowing up. Called by `worker`.

orjson reads nearly everything. What it refuses and real gateways do send (half of a surrogate
pair, numbers of any size) goes through the standard library, with the dangerous parts cut off.
"""

from __future__ import annotations

import json
import math

import orjson

from gateway.errors import NotJson

_BOM = b"\xef\xbb\xbf"
_LONGEST_EXACT_INTEGER = 19
"""Digits of the largest 64-bit integer; longer ones become floats, as orjson makes them."""


def loads(raw: bytes) -> object:
    """The value that `raw` holds; of duplicate keys the last one wins.

    Strings may hold NUL and lone surrogates, and a number too big for a float is None: one odd
    field must not cost the other messages of a batch. Raises NotJson for anything else that is
    not JSON in UTF-8, NaN and Infinity included.
    """
    raw = raw.removeprefix(_BOM)
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _loads_leniently(raw)
    return value


def _loads_leniently(raw: bytes) -> object:
    try:
        value: object = json.loads(
            raw.decode("utf-8"),
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        # The cause would carry the body, and with it what a buyer wrote, into a log.
        raise NotJson(f"{len(raw)} bytes are no JSON: {type(error).__name__}") from None
    return value


def _integer(digits: str) -> int | float | None:
    return int(digits) if len(digits) <= _LONGEST_EXACT_INTEGER else _number(digits)


def _number(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")

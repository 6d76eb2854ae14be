"""Reads single fields out of JSON that may be anything at all. Called by the parsers.

Every function takes any value and gives a clean one or None; none raises.
"""

from __future__ import annotations

import hashlib
import math
import re

ID_LENGTH = 255
"""What columns and the canonical event allow for an id; real ids stay below 128."""
MEDIA_LENGTH = 2000

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_NOISE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DECIMAL = re.compile(r"[0-9]{1,25}(?:\.[0-9]{1,25})?")
_CODE = re.compile(r"-?[0-9]{1,18}")
_DIGEST_LENGTH = 32
_MILLISECONDS_ABOVE = 1e11
"""As seconds this would be the year 5138: a larger number counts milliseconds."""
_LOW_WORD = 0xFFFF_FFFF
_MAX_INT = 2**63 - 1


def obj(value: object) -> dict[str, object]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """`value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A string as it is, but for what no database stores: NUL goes, half surrogates turn U+FFFD."""
    if not isinstance(value, str):
        return None
    if not _UNSTORABLE.search(value):
        return value
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", value)


def ident(value: object) -> str | None:
    """An id; one that is too long is shortened so that it stays itself and differs from others."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_INT:
        return str(value)
    found = text(value)
    if not found:
        return None
    if len(found) <= ID_LENGTH:
        return found
    digest = hashlib.sha256(found.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{found[: ID_LENGTH - _DIGEST_LENGTH - 1]}#{digest}"


def address(value: object) -> str | None:
    """Something to send to, whole or not at all: half an address is another one's."""
    found = text(value)
    return found if found and len(found) <= ID_LENGTH else None


def label(value: object) -> str | None:
    """A name for people to read: one line, at most 255 characters."""
    found = text(value)
    if found is None:
        return None
    return _LINE_NOISE.sub(" ", found).strip()[:ID_LENGTH] or None


def media(value: object) -> str | None:
    """A media id or address; one that does not fit its column is of no use cut off."""
    found = text(value)
    return found if found and len(found) <= MEDIA_LENGTH else None


def code(value: object) -> int | None:
    """An error code: an integer or its decimal string."""
    if isinstance(value, str) and _CODE.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INT:
        return value
    return None


def unix_seconds(value: object) -> int | None:
    """Whole seconds since 1970 from an int, a float, a decimal string or a Long; never negative.

    A Long is how protobuf.js writes 64 bits: {low, high, unsigned}, low a signed 32-bit number.
    """
    if isinstance(value, dict):
        value = _long(value)
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            return None
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _floored(value)


def _floored(value: float) -> int | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    seconds = value // 1000 if value > _MILLISECONDS_ABOVE else value // 1
    return int(seconds) if 0 <= seconds <= _MILLISECONDS_ABOVE else None


def _long(value: dict[str, object]) -> int | None:
    low, high = value.get("low"), value.get("high", 0)
    if not isinstance(low, int) or not isinstance(high, int):
        return None
    if abs(low) > _LOW_WORD or abs(high) > _LOW_WORD:
        return None
    return (high << 32) | (low & _LOW_WORD)

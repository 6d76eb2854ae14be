"""Damages a JSON body, in its structure or in its bytes. Called by `dev.fuzz_gateways.run`.

All choices come from the `Random` that is handed in: the same one gives the same damage.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random

Json = object
Holder = dict[str, Json] | list[Json]
Place = tuple[Holder, str | int]
"""Something in a body, by what holds it and where in there."""

_MOST_CHANGES = 5
_BYTES_SHARE = 0.2
_UNRULY: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**63,
    -(2**63),
    2**2000,
    1e308,
    "",
    " ",
    "0",
    "\x00",
    "\ud800",
    "\u2028\r\n",
    "é" * 300,
    "A" * 5_000,
    "_" * 5_000,
    "true_@_",
    "false_1@c.us_",
    "@lid",
    "@g.us",
    "1@broadcast",
    "9" * 400,
    "../../etc/passwd",
    "'; DROP TABLE mensagens; --",
    [],
    [[]],
    [None],
    ["x", {}],
    {},
    {"": {}},
    {"id": {}},
    {"low": 2**2000, "high": -1},
    {"low": -1, "high": 0, "unsigned": True},
    {"message": {"message": {}}},
)
_BYTES = (b"\x00", b"\xff", b'"', b"{", b"}", b"[", b",", b"\\u", b"\\", b"1e999", b"\xef\xbb\xbf")


def damaged(random: Random, body: Json, others: list[Json]) -> bytes:
    """One to five changes; `others` are bodies that parts are taken from."""
    whole: list[Json] = [copy.deepcopy(body)]
    for _ in range(random.randint(1, _MOST_CHANGES)):
        places = _places(whole)
        random.choice(_CHANGES)(random, random.choice(places), others)
    raw = json.dumps(whole[0]).encode()
    return _broken(random, raw) if random.random() < _BYTES_SHARE else raw


def _places(value: Json) -> list[Place]:
    """Every place in a value; a stack, for bodies may be deep."""
    found: list[Place] = []
    open_ones = [value]
    while open_ones:
        holder = open_ones.pop()
        if isinstance(holder, dict):
            found += [(holder, key) for key in holder]
            open_ones += holder.values()
        elif isinstance(holder, list):
            found += [(holder, index) for index in range(len(holder))]
            open_ones += holder
    return found


def _put(place: Place, value: Json) -> None:
    holder, key = place
    holder[key] = value  # type: ignore[index] # the key is of its holder


def _at(place: Place) -> Json:
    holder, key = place
    return holder[key]  # type: ignore[index]


def _replace(random: Random, place: Place, _: list[Json]) -> None:
    _put(place, copy.deepcopy(random.choice(_UNRULY)))


def _remove(random: Random, place: Place, others: list[Json]) -> None:
    holder, key = place
    if isinstance(holder, dict):
        del holder[str(key)]
    else:
        _replace(random, place, others)


def _rename(random: Random, place: Place, _: list[Json]) -> None:
    holder, key = place
    if isinstance(holder, dict):
        holder[random.choice((str(key).upper(), f"{key}Alt", ""))] = holder.pop(str(key))


def _wrap(random: Random, place: Place, _: list[Json]) -> None:
    value = _at(place)
    _put(place, [value, value] if random.random() < 0.5 else {"message": value})


def _deepen(random: Random, place: Place, _: list[Json]) -> None:
    """Wrapped as WhatsApp wraps a message, up to what a body may be deep."""
    value = _at(place)
    for _unused in range(random.randint(1, 60)):
        value = {"ephemeralMessage": {"message": value}}
    _put(place, value)


def _graft(random: Random, place: Place, others: list[Json]) -> None:
    """A part of another body, maybe of another gateway, in this one's place."""
    part = _at(random.choice(_places([random.choice(others)])))
    _put(place, copy.deepcopy(part))


def _respell(random: Random, place: Place, others: list[Json]) -> None:
    """A text with something in it that it should not have; any other value is replaced."""
    value = _at(place)
    if not isinstance(value, str):
        _replace(random, place, others)
        return
    cut = random.randint(0, len(value))
    odd = random.choice(("\x00", "\ud800", "_", "@", "@lid", " ", "é", "\r\n", ""))
    _put(place, value[:cut] + odd + value[cut + random.randint(0, 3) :])


_CHANGES: tuple[Callable[[Random, Place, list[Json]], None], ...] = (
    _replace,
    _replace,
    _remove,
    _rename,
    _wrap,
    _deepen,
    _graft,
    _respell,
    _respell,
)


def _broken(random: Random, raw: bytes) -> bytes:
    """Bytes cut off, taken out or put in."""
    cut = random.randint(0, len(raw))
    if random.random() < 0.3:
        return raw[:cut]
    return raw[:cut] + random.choice(_BYTES) + raw[cut + random.randint(0, 4) :]

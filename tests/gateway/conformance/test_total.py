"""Parsing is total: any JSON value gives a list of valid events and never an exception."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters import ADAPTERS
from gateway.json import loads
from schema.events import Event, EventKind
from tests.gateway.conftest import FIXTURES

RECORDED = {
    gateway: [
        json.loads(path.read_text())
        for path in sorted((FIXTURES / gateway).glob("*.json"))
        if path.stem != "expected"
    ]
    for gateway in ADAPTERS
}
_CHAT = "553199990001@s.whatsapp.net"
for _gateway, _body in (
    ("evolution", {
        "event": "presence.update", "instance": "loja",
        "data": {"id": _CHAT, "presences": {_CHAT: {"lastKnownPresence": "composing"}}},
    }),
    ("cloud_api", {"entry": [{"changes": [{"field": "user_preferences", "value": {
        "metadata": {"phone_number_id": "1"}, "user_preferences": [
            {"wa_id": "553199990001", "category": "marketing_messages", "value": "stop"}],
    }}]}]}),
    ("cloud_api", {"entry": [{"changes": [{"field": "messages", "value": {
        "metadata": {"phone_number_id": "1"}, "messages": [
            {"from": "553199990001", "from_user_id": "BR.7", "id": "w", "type": "system",
             "system": {"type": "user_changed_number", "wa_id": "1234567", "user_id": "BR.8"}}],
    }}]}]}),
):  # fmt: skip
    RECORDED[_gateway].append(_body)

unruly_text = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    ["", "\x00", "\ud800", "a" * 70_000, "../../etc", "'; DROP TABLE x; --", "\r\nX: y", "é" * 300]
)
unruly: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | unruly_text
    | st.sampled_from([2**2000, -(2**2000), 1e308, {"low": 2**2000, "high": 2**2000}]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(unruly_text, inner, max_size=4),
    max_leaves=8,
)


def paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path]
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in pairs:
        found += paths(inner, (*path, key))
    return found


def replaced(body: Any, path: tuple[Any, ...], value: object) -> object:
    """A copy of `body` with `value` at `path`."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


def check(gateway: str, body: object) -> None:
    """At least one event, and each survives the way through the queue; files are text by id."""
    adapter = ADAPTERS[gateway]
    events = adapter.parse(body)
    assert events
    for message_id, content in adapter.inline_media(body).items():
        assert isinstance(message_id, str)
        assert isinstance(content, str)
    for event in events:
        assert Event.model_validate_json(event.model_dump_json()) == event
        json.dumps(event.canonical()).encode()


@pytest.mark.parametrize("gateway", ADAPTERS)
@given(value=unruly)
def test_any_value_gives_events(gateway: str, value: object) -> None:
    """Also null, a list, a word or a number in place of a body."""
    check(gateway, value)


@pytest.mark.parametrize("gateway", ADAPTERS)
@settings(max_examples=400)
@given(data=st.data())
def test_any_damage_to_a_true_body_gives_events(gateway: str, data: st.DataObject) -> None:
    """A true body with up to three places replaced by anything."""
    body = data.draw(st.sampled_from(RECORDED[gateway]))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(body)))
        body = replaced(body, path, data.draw(unruly))
    check(gateway, body)


@pytest.mark.parametrize("gateway", ADAPTERS)
def test_every_place_may_hold_every_type(gateway: str) -> None:
    """Exhaustively: each place of each true body, with a value of each wrong type."""
    wrong: list[object] = [
        None,
        True,
        0,
        -1,
        1.5,
        2**2000,
        "",
        "x",
        "x\x00\ud800",
        [],
        [None],
        ["x"],
        {},
        {"x": 1},
    ]
    for body in RECORDED[gateway]:
        for path in paths(body):
            for value in wrong:
                check(gateway, replaced(body, path, value))


@pytest.mark.parametrize("gateway", ADAPTERS)
def test_the_deepest_body_that_can_be_read_is_parsed(gateway: str) -> None:
    """Wrappers within wrappers, edits within edits: no recursion follows them."""
    message = b'{"ephemeralMessage":{"message":' * 400 + b'{"conversation":"oi"}' + b"}}" * 400
    edit = b'{"type":"edit","id":"1","edit":{"original_message_id":"2","message":' * 495
    evolution = b'{"event":"messages.upsert","data":{"key":{"id":"1"},"message":' + message + b"}}"
    cloud = (
        b'{"entry":[{"changes":[{"field":"messages","value":{"messages":['
        + edit
        + b"{}"
        + b"}}" * 495
        + b"]}}]}]}"
    )
    waha = (
        b'{"event":"message","payload":{"id":"false_1@lid_1","_data":{"message":' + message + b"}}}"
    )
    for raw in (evolution, cloud, waha):
        check(gateway, loads(raw))


def test_an_over_long_text_comes_through_whole() -> None:
    """Cutting is for the column that stores it; nobody loses text here."""
    body = copy.deepcopy(next(b for b in RECORDED["evolution"] if b["event"] == "messages.upsert"))
    body["data"]["message"] = {"conversation": "z\u0335" * 65_000}
    (event,) = ADAPTERS["evolution"].parse(body)
    assert event.text is not None
    assert len(event.text) == 130_000
    assert event.kind in {EventKind.TEXT, EventKind.REFERRAL_TEXT}

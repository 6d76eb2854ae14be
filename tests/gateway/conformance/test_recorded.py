"""Bodies in the true shape of each gateway become exactly the events that all gateways agree on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.__main__ import app
from gateway.adapters import ADAPTERS
from gateway.json import loads
from schema.events import BUYER_WROTE, EventKind
from tests.gateway.conftest import FIXTURES

RECORDED = [
    (gateway, path)
    for gateway in ADAPTERS
    for path in sorted((FIXTURES / gateway).glob("*.json"))
    if path.stem != "expected"
]

NOT_OF_ALL = {
    EventKind.UNSUPPORTED,
    EventKind.LEAD,
    EventKind.PREFERENCE,
    EventKind.TYPING,
}
NEEDED = frozenset(EventKind) - NOT_OF_ALL
"""Kinds of which every gateway has a recorded body. What it cannot read differs too much; leads
come from portals, preferences from Meta, and who types is seen where that was subscribed."""
CANONICAL = (
    "kind", "message_id", "phone", "channel", "text", "timestamp", "from_me", "quoted_id",
    "media_id_or_url", "status", "error_code",
)  # fmt: skip


def comparable(events: list[dict[str, object]]) -> list[dict[str, object]]:
    """Of an ignored event only kind and channel are agreed on."""
    return [
        {key: event[key] for key in ("kind", "channel")} if event["kind"] == "ignored" else event
        for event in events
    ]


def expected(gateway: str) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """File names and the events they must become."""
    yield from json.loads((FIXTURES / gateway / "expected.json").read_text()).items()


@pytest.mark.parametrize(
    ("gateway", "path"), RECORDED, ids=[f"{gateway}-{path.stem}" for gateway, path in RECORDED]
)
def test_a_recorded_body_becomes_its_events(gateway: str, path: Path) -> None:
    """All eleven keys, in order."""
    wanted = dict(expected(gateway))[path.name]
    events = ADAPTERS[gateway].parse(loads(path.read_bytes()))
    assert comparable([event.canonical() for event in events]) == comparable(wanted)
    assert {event.gateway for event in events} == {gateway}


@pytest.mark.parametrize("gateway", ADAPTERS)
def test_no_recorded_body_is_forgotten(gateway: str) -> None:
    """Every expectation has its file and every file its expectation."""
    assert dict(expected(gateway)).keys() == {
        path.name for kind, path in RECORDED if kind == gateway
    }


@pytest.mark.parametrize("gateway", ADAPTERS)
def test_the_recorded_bodies_show_all_that_matters(gateway: str) -> None:
    """Each kind that leads to something else here, and the three that must not: see NEEDED."""
    files = dict(expected(gateway))
    seen = {event["kind"] for events in files.values() for event in events}
    assert {kind.value for kind in NEEDED} - seen == set()
    assert {event["kind"] for event in files["group_message.json"]} == {"ignored"}
    assert {event["kind"] for event in files["human_echo.json"]} == {"human_echo"}


@pytest.mark.parametrize(
    ("gateway", "path"), RECORDED, ids=[f"{gateway}-{path.stem}" for gateway, path in RECORDED]
)
def test_a_repeated_body_gives_the_same_events(gateway: str, path: Path) -> None:
    """What comes twice is told by its ids: a parser neither counts nor changes what it gets."""
    body = loads(path.read_bytes())
    first = ADAPTERS[gateway].parse(body)
    assert ADAPTERS[gateway].parse(body) == first
    assert body == loads(path.read_bytes())
    assert ADAPTERS[gateway].parse(body) == ADAPTERS[gateway].parse(loads(path.read_bytes()))


@pytest.mark.parametrize(
    ("gateway", "path"), RECORDED, ids=[f"{gateway}-{path.stem}" for gateway, path in RECORDED]
)
def test_a_buyer_has_a_key_and_an_address(gateway: str, path: Path) -> None:
    """The key is digits, with the ninth one; the address is what stands in the body, untouched."""
    raw = path.read_text()
    for event in ADAPTERS[gateway].parse(loads(raw.encode())):
        assert tuple(event.canonical()) == CANONICAL
        if event.kind not in BUYER_WROTE:
            continue
        assert event.from_me is False
        assert event.message_id is not None
        assert event.reply_to is not None
        assert event.message_id in raw
        assert event.reply_to in raw
        assert event.phone is None or event.phone.isdigit()
        old_mobile = re.fullmatch(r"55[1-9][1-9][6-9][0-9]{7}", event.phone or "")
        assert old_mobile is None


@pytest.mark.parametrize("gateway", ADAPTERS)
def test_the_command_line_shows_what_a_body_becomes(gateway: str) -> None:
    """One line a file, eleven keys an event."""
    files = [str(path) for kind, path in RECORDED if kind == gateway]
    result = CliRunner().invoke(app, ["normalise", gateway, *files])
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    shown = {line["file"]: comparable(line["events"]) for line in lines}
    assert shown == {name: comparable(events) for name, events in expected(gateway)}


def test_the_command_line_names_what_it_cannot_read(tmp_path: Path) -> None:
    """A file that is no JSON ends with an error, not with a trace."""
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"{")
    result = CliRunner().invoke(app, ["normalise", "cloud_api", str(broken)])
    assert result.exit_code == 1
    assert "broken.json" in result.stderr
    assert CliRunner().invoke(app, ["normalise", "telegram", str(broken)]).exit_code == 2

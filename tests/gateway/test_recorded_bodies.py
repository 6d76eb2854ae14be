"""Bodies in the true shape of each gateway become exactly the events that all gateways agree on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.__main__ import app
from gateway.adapters import ADAPTERS
from gateway.json import loads

FIXTURES = Path(__file__).parent / "fixtures"
RECORDED = [
    (gateway, path)
    for gateway in ADAPTERS
    for path in sorted((FIXTURES / gateway).glob("*.json"))
    if path.stem != "expected"
]


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

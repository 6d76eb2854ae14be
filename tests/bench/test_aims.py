"""What is printed, drawn and written tells the figures as they are, misses too."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import orjson
from rich.console import Console

from bench import plots, results
from bench.aims import Aim, of_latency, of_messages, of_scaling, of_webhook
from bench.latency import Latency
from bench.report import Line
from bench.scaling import Found, Speed
from bench.tables import show_aims
from bench.webhook import Requests


def _line(answer: str, contestant: str, per_second: float) -> Line:
    return Line(load="spread", answer=answer, contestant=contestant, messages=1, conversations=1,
                turns=1, withdrawn=0, disordered=0, per_second=per_second, all_rounds=(),
                cpu_us=1.0, ratio=1.0)  # fmt: skip


def _latency(contestant: str, rate: int, p50: float, p99: float) -> Latency:
    return Latency(contestant=contestant, asked_per_s=rate, came_per_s=rate, messages=9, p50=p50,
                   p95=p99, p99=p99, worst=p99)  # fmt: skip


_LINES = [
    _line("trivial", "helix", 2000),
    _line("trivial", "plain arq, fresh stock", 100),
    _line("trivial", "limit, batches of 256", 4000),
    _line("trivial", "BullMQ, cached stock", 200),
    _line("lucas", "helix", 590),
]


def test_an_aim_is_met_or_missed_by_the_figures() -> None:
    """Times a rival; with Lucas the rival in Node answers trivially. Who is missing has no line."""
    found = {aim.name: (aim.measured, aim.met) for aim in of_messages(_LINES)}

    assert found == {
        "spread, trivial: times plain arq, fresh stock": (20.0, True),
        "spread, trivial: times limit, batches of 256": (0.5, False),
        "spread, trivial: times BullMQ, cached stock": (10.0, True),
        "spread, lucas: times BullMQ, cached stock": (2.95, False),
    }


def test_latency_is_to_be_no_higher() -> None:
    """Than the rival's at 50/s; than a fixed time at 200/s."""
    found = [_latency("helix", 50, 6.0, 12.0), _latency("SAQ", 50, 6.0, 11.0),
             _latency("helix, webhook to gateway", 200, 14.0, 60.0)]  # fmt: skip

    assert [aim.met for aim in of_latency(found)] == [True, False, True, False]


def test_a_process_is_judged_by_its_best_load_and_its_rest() -> None:
    """What the system does not tell has no line."""
    requests = [
        Requests(connections=count, requests=1, per_second=speed, p50_ms=1, p99_ms=1,
                 server_us=None, load_us=1)
        for count, speed in ((8, 2100.0), (32, 1900.0))
    ]  # fmt: skip
    speeds = (Speed(workers=1, empresas=20, messages=1, per_second=100),)
    found = Found(speeds=speeds, many_to_few=0.69, known=1000, active=100, memory_mb=150.0,
                  idle_worker=0.008, idle_web=0.003)  # fmt: skip
    silent = Found(speeds=speeds, many_to_few=0.7, known=1000, active=100, memory_mb=None,
                   idle_worker=None, idle_web=None)  # fmt: skip

    assert [aim.met for aim in of_webhook(requests)] == [True]
    assert [aim.met for aim in of_scaling(found)] == [False, False, True]
    assert [aim.met for aim in of_scaling(silent)] == [True]


def test_a_miss_is_shown_and_written(tmp_path: Path) -> None:
    """And other parts of the file stay."""
    missed = Aim(name="any", measured=1.0, limit=2.0, at_least=True, unit="x")
    console = Console(width=120, record=True)
    show_aims(console, [missed], quick=True)
    path = tmp_path / "latest.json"
    results.write("one", [1], quick=True, path=path)
    results.write("two", _LINES, aims=[missed], quick=False, path=path)
    read = orjson.loads(path.read_bytes())

    assert "missed" in console.export_text()
    assert read["one"]["figures"] == [1]
    assert read["two"]["aims"][0]["met"] is False
    assert read["two"]["figures"][0]["per_second"] == 2000


def test_a_bar_is_as_long_as_its_figure() -> None:
    """The plots are well-formed, whatever the names hold."""
    drawn = plots.bar_chart("a & b", [("<one>", 50, "red"), ("two", 100, "blue")], "{:.0f}")
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    _, one, two = root.findall("{http://www.w3.org/2000/svg}rect")

    assert float(two.attrib["width"]) == 2 * float(one.attrib["width"])


def test_only_a_full_run_changes_the_page(tmp_path: Path) -> None:
    """Quick figures never stand in the documentation."""
    (only,) = plots.of_messages(_LINES, quick=True, docs=tmp_path)

    assert only.parent == results.LATEST.parent
    assert list(tmp_path.iterdir()) == []
    assert len(plots.of_latency([_latency("helix", 50, 1, 2)], quick=False, docs=tmp_path)) == 2
